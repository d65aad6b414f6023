CREATE TABLE partitioncache.settings (
    only_row boolean DEFAULT true NOT NULL,
    batch_size integer DEFAULT 1000 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    retry_backoff_seconds integer DEFAULT 300 NOT NULL,
    log_retention_days integer DEFAULT 30 NOT NULL,
    run_retention_days integer DEFAULT 7 NOT NULL,
    max_slots integer DEFAULT 20 NOT NULL,
    CONSTRAINT settings_batch_size_check CHECK (((batch_size >= 1) AND (batch_size <= 10000))),
    CONSTRAINT settings_log_retention_days_check CHECK ((log_retention_days > 0)),
    CONSTRAINT settings_max_attempts_check CHECK ((max_attempts > 0)),
    CONSTRAINT settings_max_slots_check CHECK ((max_slots > 0)),
    CONSTRAINT settings_only_row_check CHECK (only_row),
    CONSTRAINT settings_retry_backoff_seconds_check CHECK ((retry_backoff_seconds >= 0)),
    CONSTRAINT settings_run_retention_days_check CHECK ((run_retention_days > 0))
);

COMMENT ON TABLE partitioncache.settings IS 'Settings of the processor beyond the clients'' configuration table (one row, read live by every run).';

COMMENT ON COLUMN partitioncache.settings.batch_size IS 'The most fragments that a run claims at once. It claims fewer where these would take longer than about a quarter of a second.';

COMMENT ON COLUMN partitioncache.settings.max_attempts IS 'After how many attempts without a result a fragment is set aside as failed. Such attempts are deadlocks, serialization failures, and deaths of the run that only this fragment can have caused.';

COMMENT ON COLUMN partitioncache.settings.retry_backoff_seconds IS 'For how many seconds a fragment that is queued again after a failure, a timeout or an exceeded limit waits.';

COMMENT ON COLUMN partitioncache.settings.log_retention_days IS 'For how many days rows of the processor log are kept.';

COMMENT ON COLUMN partitioncache.settings.run_retention_days IS 'For how many days pg_cron''s run history of our jobs is kept (takes effect with the next sync).';

COMMENT ON COLUMN partitioncache.settings.max_slots IS 'How many slots the enabled processors may have together: each takes a place in pg_cron, which other databases share.';

ALTER TABLE ONLY partitioncache.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (only_row);

GRANT SELECT ON TABLE partitioncache.settings TO cron_role;
