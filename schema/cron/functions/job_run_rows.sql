CREATE FUNCTION partitioncache_work_database.job_run_rows() RETURNS TABLE(runid bigint, jobid bigint, job_name text, status text, return_message text, start_time timestamp with time zone, end_time timestamp with time zone, duration interval)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT details.runid, details.jobid, own.job_name, details.status, details.return_message,
         details.start_time, details.end_time, details.end_time - details.start_time
  FROM cron.job_run_details AS details
  JOIN "partitioncache_work_database".own_jobs() AS own ON own.jobid = details.jobid
$$;

COMMENT ON FUNCTION partitioncache_work_database.job_run_rows() IS 'What the view job_runs shows, with the rights of the cron role.';

REVOKE ALL ON FUNCTION partitioncache_work_database.job_run_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.job_run_rows() TO migrator;
