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

COMMENT ON VIEW partitioncache.throughput IS 'What each processor settled in the last 1, 5 and 15 minutes, with percentiles of the evaluation time in milliseconds.';

COMMENT ON COLUMN partitioncache.throughput.minutes IS 'How many minutes up to now the row covers.';

COMMENT ON COLUMN partitioncache.throughput.settled IS 'Fragments that left the queue: succeeded, failed, timed_out and skipped.';

COMMENT ON COLUMN partitioncache.throughput.succeeded IS 'Evaluated fragments, including those with more keys than result_limit.';

COMMENT ON COLUMN partitioncache.throughput.skipped IS 'Fragments that were not evaluated because they were already cached.';

COMMENT ON COLUMN partitioncache.throughput.per_second IS 'Settled fragments per second, over the whole span.';

COMMENT ON COLUMN partitioncache.throughput.p50_ms IS 'Half of the evaluations (including failed and timed out ones, but not skipped ones) took this many milliseconds or less; NULL when there were none.';

COMMENT ON COLUMN partitioncache.throughput.max_ms IS 'Milliseconds of the longest evaluation; 9999999.999 stands for anything longer.';

GRANT SELECT ON TABLE partitioncache.throughput TO client_role;
GRANT SELECT ON TABLE partitioncache.throughput TO cron_role;
