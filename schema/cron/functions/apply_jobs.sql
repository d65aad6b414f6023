CREATE FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_job record;
  v_actions jsonb := '[]';
BEGIN
  -- Two calls at once (by a trigger and by sync) would both find a job missing.
  PERFORM pg_advisory_xact_lock(
    quote_ident('partitioncache_work_database')::regnamespace::oid::integer, 0);
  PERFORM "partitioncache_work_database".check_desired_jobs(p_desired);

  FOR v_job IN
    SELECT alien.jobid, alien.job_name, alien.has_own_name
    FROM "partitioncache_work_database".alien_jobs(p_desired) AS alien
    ORDER BY alien.job_name
  LOOP
    IF v_job.has_own_name THEN
      PERFORM cron.unschedule(v_job.jobid);
    END IF;
    v_actions := v_actions || jsonb_build_object(
      'action', CASE WHEN v_job.has_own_name THEN 'unscheduled' ELSE 'left' END,
      'job_name', v_job.job_name);
  END LOOP;

  FOR v_job IN
    SELECT own.jobid, own.job_name
    FROM "partitioncache_work_database".own_jobs() AS own
    LEFT JOIN "partitioncache_work_database".desired_job_rows(p_desired) AS desired
      ON desired.job_name = own.job_name
    -- Scheduling an existing name again changes neither its database (before 1.6.3) nor its port
    -- nor whether it is active.
    WHERE desired.job_name IS NULL OR desired.database <> own.database
       OR NOT own.active OR NOT own.is_here
    ORDER BY own.job_name
  LOOP
    PERFORM cron.unschedule(v_job.jobid);
    v_actions := v_actions || jsonb_build_object(
      'action', 'unscheduled', 'job_name', v_job.job_name);
  END LOOP;

  FOR v_job IN
    -- New ones are at rest until dispatch finds work: all at once could be too many for pg_cron.
    SELECT desired.job_name, coalesce(desired.rest_schedule, desired.schedule) AS schedule,
           desired.command, desired.database, own.jobid
    FROM "partitioncache_work_database".desired_job_rows(p_desired) AS desired
    LEFT JOIN "partitioncache_work_database".own_jobs() AS own ON own.job_name = desired.job_name
    -- What rests has the right schedule, too.
    WHERE own.command IS DISTINCT FROM desired.command
       OR own.schedule NOT IN (desired.schedule, coalesce(desired.rest_schedule, desired.schedule))
    ORDER BY desired.job_name
  LOOP
    PERFORM cron.schedule_in_database(
      v_job.job_name, v_job.schedule, v_job.command, v_job.database);
    v_actions := v_actions || jsonb_build_object(
      'action', CASE WHEN v_job.jobid IS NULL THEN 'scheduled' ELSE 'altered' END,
      'job_name', v_job.job_name);
  END LOOP;

  RETURN jsonb_build_object(
    'actions', v_actions,
    'jobs', (
      SELECT coalesce(
        jsonb_agg(
          jsonb_build_object(
            'job_name', job_name, 'schedule', desired.schedule, 'command', desired.command,
            'job_id', own.jobid)
          ORDER BY job_name),
        '[]')
      FROM "partitioncache_work_database".desired_job_rows(p_desired) AS desired
      JOIN "partitioncache_work_database".own_jobs() AS own USING (job_name)));
END
$$;

COMMENT ON FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) IS 'Makes pg_cron''s jobs of this deployment match p_desired (desired_jobs() of the work database), and removes other jobs that carry its names. Returns {actions: [{action: scheduled|altered|unscheduled|left, job_name}], jobs: [{job_name, schedule, command, job_id}]}, the schedule as desired, also of what rests; left are other jobs of the cron role in the work database. Raises what check_desired_jobs or pg_cron raises, and then changes nothing.';

REVOKE ALL ON FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) FROM PUBLIC;
