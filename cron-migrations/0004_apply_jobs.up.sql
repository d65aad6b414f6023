-- Turns the desired jobs into pg_cron's jobs, in one transaction. Only what differs is
-- touched, because unscheduling a job while it runs is logged as cancelled. Needs only
-- USAGE on schema cron and EXECUTE on schedule_in_database and unschedule. Never passes
-- a username, because that takes a superuser.

--! routine check_desired_jobs
CREATE OR REPLACE FUNCTION {{cron_schema}}.check_desired_jobs(p_desired jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_job record;
BEGIN
  -- A copy or a renamed database still points here: it must not change the jobs of the original.
  FOR v_job IN
    SELECT desired.database
    FROM jsonb_to_recordset(p_desired) AS desired (database text)
    WHERE desired.database IS DISTINCT FROM {{work_database:literal}}
  LOOP
    RAISE EXCEPTION 'the jobs of database "%" are not those of database "%"',
      v_job.database, {{work_database:literal}}
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'A copy or a renamed database has to be deployed under its own name.';
  END LOOP;

  -- A name is ours, or it could take over, or remove, the job of somebody else.
  FOR v_job IN
    SELECT desired.job_name
    FROM jsonb_to_recordset(p_desired) AS desired (
      job_name text, schedule text, kind text, processor text, slot integer, keep_days integer)
    WHERE (
      {{cron_schema}}.is_own_name(desired.job_name, ARRAY[desired.processor])
      AND desired.schedule IS NOT NULL
      AND substring(desired.job_name FROM '[^_]*$') = CASE desired.kind
            WHEN 'processor' THEN desired.slot::text
            ELSE desired.kind
          END
      AND CASE desired.kind
            WHEN 'processor' THEN desired.processor IS NOT NULL
            WHEN 'history' THEN desired.keep_days IS NOT NULL
            ELSE desired.kind IN ('maintenance', 'dispatch')
          END
    ) IS NOT TRUE
  LOOP
    RAISE EXCEPTION 'job "%" is no job of this package', v_job.job_name
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Both databases must be at the same version: run pcache-migrate up.';
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{cron_schema}}.check_desired_jobs IS
  'Raises 22023 for jobs of another work database than this schema''s, or that this package does '
  'not have under that name.';
REVOKE ALL ON FUNCTION {{cron_schema}}.check_desired_jobs FROM PUBLIC;
--! end

--! routine apply_jobs
CREATE OR REPLACE FUNCTION {{cron_schema}}.apply_jobs(p_desired jsonb) RETURNS jsonb
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_job record;
  v_actions jsonb := '[]';
BEGIN
  -- Two calls at once (by a trigger and by sync) would both find a job missing.
  PERFORM pg_advisory_xact_lock(
    quote_ident({{cron_schema:literal}})::regnamespace::oid::integer, 0);
  PERFORM {{cron_schema}}.check_desired_jobs(p_desired);

  FOR v_job IN
    SELECT alien.jobid, alien.job_name, alien.has_own_name
    FROM {{cron_schema}}.alien_jobs(p_desired) AS alien
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
    FROM {{cron_schema}}.own_jobs() AS own
    LEFT JOIN {{cron_schema}}.desired_job_rows(p_desired) AS desired
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
    FROM {{cron_schema}}.desired_job_rows(p_desired) AS desired
    LEFT JOIN {{cron_schema}}.own_jobs() AS own ON own.job_name = desired.job_name
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
      FROM {{cron_schema}}.desired_job_rows(p_desired) AS desired
      JOIN {{cron_schema}}.own_jobs() AS own USING (job_name)));
END
$$;
COMMENT ON FUNCTION {{cron_schema}}.apply_jobs IS
  'Makes pg_cron''s jobs of this deployment match p_desired (desired_jobs() of the work database), '
  'and removes other jobs that carry its names. Returns {actions: [{action: scheduled|altered|'
  'unscheduled|left, job_name}], jobs: [{job_name, schedule, command, job_id}]}, the schedule as '
  'desired, also of what rests; left are other '
  'jobs of the cron role in the work database. Raises what check_desired_jobs or pg_cron raises, '
  'and then changes nothing.';
REVOKE ALL ON FUNCTION {{cron_schema}}.apply_jobs FROM PUBLIC;
--! end

-- In single mode the sync_cron trigger calls apply_jobs as the migrator. Elsewhere the cron role
-- itself does, over the link or on pcache-migrate's own connection.
DO $grant$
BEGIN
  IF {{work_database:literal}} = current_database() THEN
    GRANT EXECUTE ON FUNCTION {{cron_schema}}.apply_jobs TO {{migrator_role}};
  END IF;
END
$grant$;
