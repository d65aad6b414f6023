CREATE VIEW partitioncache.processor_status AS
 SELECT job_name,
    enabled,
    max_parallel_jobs,
    frequency_seconds,
    timeout_seconds,
    result_limit,
    default_bitsize,
    queued,
    active,
    registered_jobs,
    succeeded_last_hour,
    failed_last_hour,
    last_success
   FROM partitioncache.processor_status_rows() processor_status_rows(job_name, enabled, max_parallel_jobs, frequency_seconds, timeout_seconds, result_limit, default_bitsize, queued, active, registered_jobs, succeeded_last_hour, failed_last_hour, last_success);

COMMENT ON VIEW partitioncache.processor_status IS 'Each processor with its settings, the length of the queue, how many of its runs are evaluating a fragment, and its results of the last hour.';

GRANT SELECT ON TABLE partitioncache.processor_status TO client_role;
GRANT SELECT ON TABLE partitioncache.processor_status TO cron_role;
