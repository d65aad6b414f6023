CREATE TABLE public.partitioncache_queue_active_jobs (
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    job_id text NOT NULL,
    pid integer,
    started_at timestamp without time zone,
    query text NOT NULL,
    partition_datatype text
);

COMMENT ON TABLE public.partitioncache_queue_active_jobs IS 'The fragments that are being processed right now, for display. The claims themselves are in our own schema.';

ALTER TABLE ONLY public.partitioncache_queue_active_jobs
    ADD CONSTRAINT partitioncache_queue_active_jobs_pkey PRIMARY KEY (query_hash, partition_key);

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_active_jobs TO client_role;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.partitioncache_queue_active_jobs TO cron_role;
