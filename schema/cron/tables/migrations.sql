CREATE TABLE partitioncache_work_database.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);

CREATE SEQUENCE partitioncache_work_database.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE partitioncache_work_database.migrations_id_seq OWNED BY partitioncache_work_database.migrations.id;

ALTER TABLE ONLY partitioncache_work_database.migrations ALTER COLUMN id SET DEFAULT nextval('partitioncache_work_database.migrations_id_seq'::regclass);

ALTER TABLE ONLY partitioncache_work_database.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
