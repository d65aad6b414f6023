CREATE OR REPLACE FUNCTION {{cron_schema}}.alien_jobs(p_desired jsonb)
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, active boolean,
  has_own_name boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH processors AS (
    SELECT array_agg(processor) AS names
    FROM jsonb_to_recordset(p_desired) AS desired (processor text)
  ),
  job AS (
    SELECT job.*,
           coalesce({{cron_schema}}.is_own_name(job.jobname::text, processors.names), false)
             AS has_own_name
    FROM cron.job AS job, processors
    WHERE job.username = current_user AND NOT {{cron_schema}}.is_own(job.database, job.command)
  )
  SELECT job.jobid, coalesce(job.jobname::text, format('(job %s)', job.jobid)), job.schedule,
         job.command, job.database, job.active, job.has_own_name
  FROM job
  WHERE job.has_own_name
     OR (job.database = {{work_database:literal}}
         AND NOT {{cron_schema}}.is_of_another(job.database, job.command))
$$;
COMMENT ON FUNCTION {{cron_schema}}.alien_jobs IS
  'Jobs of the cron role that are of no deployment and carry a name of this one (has_own_name) or '
  'run in its work database. p_desired: desired_jobs() of the work database.';
REVOKE ALL ON FUNCTION {{cron_schema}}.alien_jobs FROM PUBLIC;
