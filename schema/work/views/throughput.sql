CREATE VIEW partitioncache.throughput AS
 SELECT job_name,
    minutes,
    settled,
    succeeded,
    failed,
    timed_out,
    skipped,
    per_second,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms
   FROM partitioncache.throughput_rows() throughput_rows(job_name, minutes, settled, succeeded, failed, timed_out, skipped, per_second, p50_ms, p95_ms, p99_ms, max_ms);

COMMENT ON VIEW partitioncache.throughput IS 'What each processor settled in the last 1, 5 and 15 minutes, with percentiles of the evaluations'' time in milliseconds.';

COMMENT ON COLUMN partitioncache.throughput.minutes IS 'Of how many minutes up to now the row is.';

COMMENT ON COLUMN partitioncache.throughput.settled IS 'Fragments that left the queue: succeeded, failed, timed_out and skipped.';

COMMENT ON COLUMN partitioncache.throughput.succeeded IS 'Evaluated, those with more keys than result_limit among them.';

COMMENT ON COLUMN partitioncache.throughput.skipped IS 'Not evaluated, since they were cached already.';

COMMENT ON COLUMN partitioncache.throughput.per_second IS 'Settled fragments a second, over the whole span.';

COMMENT ON COLUMN partitioncache.throughput.p50_ms IS 'Half of the evaluations (failed and timed out ones among them, skipped ones not) took this many milliseconds or less; NULL when there were none.';

COMMENT ON COLUMN partitioncache.throughput.max_ms IS 'Milliseconds of the longest evaluation; 9999999.999 stands for anything longer.';

GRANT SELECT ON TABLE partitioncache.throughput TO client_role;
GRANT SELECT ON TABLE partitioncache.throughput TO cron_role;
