CREATE FUNCTION partitioncache_work_database.job_rows() RETURNS TABLE(jobid bigint, job_name text, schedule text, command text, database text, active boolean, last_run timestamp with time zone, last_status text, last_message text, next_run timestamp with time zone, average_duration interval, runs bigint, failures bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT own.jobid, own.job_name, own.schedule, own.command, own.database, own.active,
         last.start_time, last.status, last.return_message,
         CASE WHEN own.active THEN "partitioncache_work_database".next_run(own.schedule, last.end_time) END,
         history.average_duration, coalesce(history.runs, 0), coalesce(history.failures, 0)
  FROM "partitioncache_work_database".own_jobs() AS own
  LEFT JOIN LATERAL (
    SELECT details.start_time, details.end_time, details.status, details.return_message
    FROM cron.job_run_details AS details WHERE details.jobid = own.jobid
    ORDER BY details.runid DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN LATERAL (
    SELECT avg(details.end_time - details.start_time)
             FILTER (WHERE details.status = 'succeeded') AS average_duration,
           count(*) AS runs,
           count(*) FILTER (WHERE details.status = 'failed') AS failures
    FROM cron.job_run_details AS details WHERE details.jobid = own.jobid
  ) AS history ON true
  ORDER BY own.job_name
$$;

COMMENT ON FUNCTION partitioncache_work_database.job_rows() IS 'What the view jobs shows, with the rights of the cron role.';

REVOKE ALL ON FUNCTION partitioncache_work_database.job_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.job_rows() TO migrator;
