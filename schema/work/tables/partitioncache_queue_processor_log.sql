CREATE TABLE public.partitioncache_queue_processor_log (
    id integer NOT NULL,
    job_id text NOT NULL,
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    status text NOT NULL,
    error_message text,
    rows_affected integer,
    execution_time_ms numeric(10,3),
    execution_source text,
    created_at timestamp without time zone DEFAULT now(),
    CONSTRAINT partitioncache_queue_processor_log_execution_source_check CHECK ((execution_source = ANY (ARRAY['cron'::text, 'manual'::text, 'unknown'::text]))),
    CONSTRAINT partitioncache_queue_processor_log_status_check CHECK ((status = ANY (ARRAY['started'::text, 'success'::text, 'failed'::text, 'timeout'::text, 'skipped'::text])))
);

COMMENT ON TABLE public.partitioncache_queue_processor_log IS 'One row for each settled fragment, and one (started) for each attempt within a client''s transaction that ended without a result. execution_time_ms holds 9,999,999.999 for anything longer.';

CREATE SEQUENCE public.partitioncache_queue_processor_log_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.partitioncache_queue_processor_log_id_seq OWNED BY public.partitioncache_queue_processor_log.id;

ALTER TABLE ONLY public.partitioncache_queue_processor_log ALTER COLUMN id SET DEFAULT nextval('public.partitioncache_queue_processor_log_id_seq'::regclass);

ALTER TABLE ONLY public.partitioncache_queue_processor_log
    ADD CONSTRAINT partitioncache_queue_processor_log_pkey PRIMARY KEY (id);

CREATE INDEX partitioncache_queue_processor_failures ON public.partitioncache_queue_processor_log USING btree (created_at) WHERE (status = ANY (ARRAY['failed'::text, 'timeout'::text]));

CREATE INDEX partitioncache_queue_processor_log_created_at_idx ON public.partitioncache_queue_processor_log USING btree (created_at);

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_log TO client_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_processor_log TO cron_role;

GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_processor_log_id_seq TO cron_role;
GRANT SELECT,USAGE ON SEQUENCE public.partitioncache_queue_processor_log_id_seq TO client_role;
