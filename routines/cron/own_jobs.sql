CREATE OR REPLACE FUNCTION {{cron_schema}}.own_jobs()
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, active boolean,
  is_here boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT job.jobid, job.jobname::text, job.schedule, job.command, job.database, job.active,
         -- A copy of a whole server has the jobs as they were made: pg_cron logs in by their port.
         -- A standby starts none, and shows those of its primary.
         job.nodeport = current_setting('port')::integer OR pg_is_in_recovery()
  FROM cron.job AS job
  WHERE job.username = current_user
    AND {{cron_schema}}.is_own(job.database, job.command)
$$;
COMMENT ON FUNCTION {{cron_schema}}.own_jobs IS
  'The jobs of pg_cron that belong to this deployment. is_here: whether they are made for this '
  'server, by its port.';
REVOKE ALL ON FUNCTION {{cron_schema}}.own_jobs FROM PUBLIC;
