CREATE FUNCTION partitioncache_work_database.own_jobs() RETURNS TABLE(jobid bigint, job_name text, schedule text, command text, database text, active boolean, is_here boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT job.jobid, job.jobname::text, job.schedule, job.command, job.database, job.active,
         -- A copy of a whole server has the jobs as they were made: pg_cron logs in by their port.
         -- A standby starts none, and shows those of its primary.
         job.nodeport = current_setting('port')::integer OR pg_is_in_recovery()
  FROM cron.job AS job
  WHERE job.username = current_user
    AND "partitioncache_work_database".is_own(job.database, job.command)
$$;

COMMENT ON FUNCTION partitioncache_work_database.own_jobs() IS 'The jobs of pg_cron that belong to this deployment. is_here: whether they are made for this server, by its port.';

REVOKE ALL ON FUNCTION partitioncache_work_database.own_jobs() FROM PUBLIC;
