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
