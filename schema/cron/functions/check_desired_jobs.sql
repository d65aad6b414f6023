CREATE FUNCTION partitioncache_work_database.check_desired_jobs(p_desired jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_job record;
BEGIN
  -- A copy or a renamed database still points here: it must not change the jobs of the original.
  FOR v_job IN
    SELECT desired.database
    FROM jsonb_to_recordset(p_desired) AS desired (database text)
    WHERE desired.database IS DISTINCT FROM 'work_database'
  LOOP
    RAISE EXCEPTION 'the jobs of database "%" are not those of database "%"',
      v_job.database, 'work_database'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A copy or a renamed database has to be deployed under its own name.';
  END LOOP;

  FOR v_job IN
    SELECT desired.job_name FROM "partitioncache_work_database".desired_job_rows(p_desired) AS desired
    WHERE desired.command IS NULL OR desired.schedule IS NULL
      OR NOT coalesce(starts_with(desired.job_name, 'partitioncache'), false)
  LOOP
    RAISE EXCEPTION 'job "%" is no job of this package', v_job.job_name
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Both databases must be at the same version: run pcache-migrate up.';
  END LOOP;

  -- Scheduling a name again would take the job of that name over, whoever's it is.
  FOR v_job IN
    SELECT job.jobid, job.jobname, job.database
    FROM cron.job AS job
    JOIN "partitioncache_work_database".desired_job_rows(p_desired) AS desired
      ON desired.job_name = job.jobname::text
    WHERE job.username = current_user
      AND job.database <> 'work_database'
      AND NOT "partitioncache_work_database".is_own(job.database, job.command)
  LOOP
    RAISE EXCEPTION
      'the name "%" belongs to a job of database "%", which is not of this deployment',
      v_job.jobname, v_job.database
      USING ERRCODE = 'duplicate_object',
            HINT = format('If nothing needs that job, remove it as %s: SELECT cron.unschedule(%s);',
                          current_user, v_job.jobid);
  END LOOP;
END
$$;

COMMENT ON FUNCTION partitioncache_work_database.check_desired_jobs(p_desired jsonb) IS 'Raises 22023 for jobs of another work database than this schema''s, or that this package does not have, and 42710 for the name of a job that runs in another database and does not belong to this deployment.';

REVOKE ALL ON FUNCTION partitioncache_work_database.check_desired_jobs(p_desired jsonb) FROM PUBLIC;
