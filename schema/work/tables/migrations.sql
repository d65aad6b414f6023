CREATE TABLE partitioncache.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);

CREATE SEQUENCE partitioncache.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE partitioncache.migrations_id_seq OWNED BY partitioncache.migrations.id;

ALTER TABLE ONLY partitioncache.migrations ALTER COLUMN id SET DEFAULT nextval('partitioncache.migrations_id_seq'::regclass);

ALTER TABLE ONLY partitioncache.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);
