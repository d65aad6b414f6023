CREATE TABLE partitioncache.applied_job (
    job_name text NOT NULL,
    schedule text NOT NULL,
    command text NOT NULL,
    job_id bigint NOT NULL
);

COMMENT ON TABLE partitioncache.applied_job IS 'The pg_cron jobs of this deployment as they were last applied. pcache-migrate status compares them with those of pg_cron itself.';

ALTER TABLE ONLY partitioncache.applied_job
    ADD CONSTRAINT applied_job_pkey PRIMARY KEY (job_name);
