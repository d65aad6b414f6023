CREATE VIEW partitioncache.failures AS
 SELECT sqlstate,
    reason,
    failures,
    fragments,
    still_failed,
    last_seen,
    example_hash,
    example_partition_key,
    example_message
   FROM partitioncache.failures_within('24:00:00'::interval) failures_within(sqlstate, reason, failures, fragments, still_failed, last_seen, example_hash, example_partition_key, example_message);

COMMENT ON VIEW partitioncache.failures IS 'Failures and timeouts of the last 24 hours by SQLSTATE, each with the last one as an example. No row when nothing failed.';

COMMENT ON COLUMN partitioncache.failures.sqlstate IS 'The SQLSTATE of the error; 57014 for a timeout, NULL where the message has none.';

COMMENT ON COLUMN partitioncache.failures.reason IS 'error; timeout (cancelled after timeout_seconds); set aside (its runs died or were turned away max_attempts times).';

COMMENT ON COLUMN partitioncache.failures.failures IS 'How many rows of the log; one fragment may have failed several times.';

COMMENT ON COLUMN partitioncache.failures.still_failed IS 'How many of the fragments failed in this way the last time and have been neither evaluated nor retried since.';

GRANT SELECT ON TABLE partitioncache.failures TO client_role;
GRANT SELECT ON TABLE partitioncache.failures TO cron_role;
