CREATE OR REPLACE FUNCTION {{cron_schema}}.is_own(p_database text, p_command text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (p_database = {{work_database:literal}}
          AND (starts_with(p_command, format('CALL %I.run_processor(', {{schema:literal}}))
               OR p_command = format('CALL %I.run_maintenance()', {{schema:literal}})))
      OR (p_database = current_database()
          AND (starts_with(p_command, format('SELECT %I.prune_job_runs(', {{cron_schema:literal}}))
               OR starts_with(p_command, format('SELECT %I.dispatch(', {{cron_schema:literal}}))))
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_own IS
  'Whether a job with this database and command belongs to this deployment.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_own FROM PUBLIC;
