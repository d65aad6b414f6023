CREATE TABLE partitioncache_work_database.recording (
    only_row boolean DEFAULT true NOT NULL,
    release integer NOT NULL,
    format integer NOT NULL,
    digest text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT recording_only_row_check CHECK (only_row)
);

COMMENT ON TABLE partitioncache_work_database.recording IS 'Which release recorded its objects last, and how (one row).';

COMMENT ON COLUMN partitioncache_work_database.recording.format IS 'Changes when pcache-migrate reads the same definitions in another way.';

COMMENT ON COLUMN partitioncache_work_database.recording.digest IS 'SHA-256 over the rows of recorded_object.';

ALTER TABLE ONLY partitioncache_work_database.recording
    ADD CONSTRAINT recording_pkey PRIMARY KEY (only_row);
