CREATE TABLE partitioncache.applied_job (
    job_name text NOT NULL,
    schedule text NOT NULL,
    command text NOT NULL,
    job_id bigint NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

COMMENT ON TABLE partitioncache.applied_job IS 'The pg_cron jobs of this deployment as they were last applied. pcache-migrate status compares them with those of pg_cron itself.';

COMMENT ON COLUMN partitioncache.applied_job.applied_at IS 'Since when pg_cron has had it like this: that it was not started since then says something.';

ALTER TABLE ONLY partitioncache.applied_job
    ADD CONSTRAINT applied_job_pkey PRIMARY KEY (job_name);
