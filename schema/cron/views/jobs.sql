CREATE VIEW partitioncache_work_database.jobs AS
 SELECT jobid,
    job_name,
    schedule,
    command,
    database,
    active,
    last_run,
    last_status,
    last_message,
    next_run,
    average_duration,
    runs,
    failures
   FROM partitioncache_work_database.job_rows() job_rows(jobid, job_name, schedule, command, database, active, last_run, last_status, last_message, next_run, average_duration, runs, failures);

COMMENT ON VIEW partitioncache_work_database.jobs IS 'This deployment''s jobs with their last run, next run, average duration of the successful runs, and failures (as far back as the history is kept).';

GRANT SELECT ON TABLE partitioncache_work_database.jobs TO migrator;
