CREATE VIEW partitioncache_work_database.job_runs AS
 SELECT runid,
    jobid,
    job_name,
    status,
    return_message,
    start_time,
    end_time,
    duration
   FROM partitioncache_work_database.job_run_rows() job_run_rows(runid, jobid, job_name, status, return_message, start_time, end_time, duration);

COMMENT ON VIEW partitioncache_work_database.job_runs IS 'The run history of this deployment''s jobs, with their names.';

GRANT SELECT ON TABLE partitioncache_work_database.job_runs TO migrator;
