CREATE TABLE partitioncache.attempt (
    query_hash text NOT NULL,
    partition_key text NOT NULL,
    attempts integer NOT NULL,
    not_before timestamp with time zone NOT NULL,
    last_error text NOT NULL,
    suspect boolean DEFAULT false NOT NULL
);

COMMENT ON TABLE partitioncache.attempt IS 'Queued fragments whose last attempt ended without a result: how often, why, and when the next one is due.';

COMMENT ON COLUMN partitioncache.attempt.suspect IS 'Whether a run died while it had claimed this fragment. If so, the fragment is tried alone, before all others.';

ALTER TABLE ONLY partitioncache.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (query_hash, partition_key);

CREATE INDEX attempt_attempts_idx ON partitioncache.attempt USING btree (attempts) WHERE suspect;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE partitioncache.attempt TO cron_role;
