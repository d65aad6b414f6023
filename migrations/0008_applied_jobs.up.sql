-- What pg_cron was last told. Whatever differs from desired_jobs() is pending. That is derived
-- and never marked, so no code path can forget to mark it.

CREATE TABLE {{schema}}.applied_job (
  job_name text PRIMARY KEY,
  schedule text NOT NULL,
  command  text NOT NULL,
  job_id   bigint NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE {{schema}}.applied_job IS
  'The pg_cron jobs of this deployment as they were last applied. pcache-migrate '
  'status compares them with those of pg_cron itself.';
COMMENT ON COLUMN {{schema}}.applied_job.applied_at IS
  'Since when pg_cron has had it like this: that it was not started since then says something.';

--! routine sync_pending
CREATE OR REPLACE VIEW {{schema}}.sync_pending AS
  SELECT coalesce(desired.job_name, applied.job_name) AS job_name,
         CASE WHEN applied.job_name IS NULL THEN 'schedule'
              WHEN desired.job_name IS NULL THEN 'unschedule'
              ELSE 'alter' END AS change,
         desired.schedule AS desired_schedule,
         applied.schedule AS applied_schedule
  FROM pg_catalog.jsonb_to_recordset({{schema}}.desired_jobs())
    AS desired (job_name text, schedule text, command text)
  FULL JOIN {{schema}}.applied_job AS applied ON applied.job_name = desired.job_name
  WHERE (desired.schedule, desired.command) IS DISTINCT FROM (applied.schedule, applied.command);
COMMENT ON VIEW {{schema}}.sync_pending IS
  'Changes of the configuration that pg_cron does not know of yet: run pcache-migrate sync.';
--! end

--! routine mark_synced
CREATE OR REPLACE FUNCTION {{schema}}.mark_synced(p_applied jsonb) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- What is as it was keeps its applied_at.
  DELETE FROM {{schema}}.applied_job AS told
  WHERE (told.job_name, told.schedule, told.command, told.job_id) NOT IN (
    SELECT job_name, schedule, command, job_id
    FROM jsonb_to_recordset(p_applied -> 'jobs')
      AS job (job_name text, schedule text, command text, job_id bigint));
  INSERT INTO {{schema}}.applied_job (job_name, schedule, command, job_id)
  SELECT job_name, schedule, command, job_id
  FROM jsonb_to_recordset(p_applied -> 'jobs')
    AS job (job_name text, schedule text, command text, job_id bigint)
  ON CONFLICT (job_name) DO NOTHING;

  PERFORM {{schema}}.hold_own_tables('write', {{processor_config:literal}});
  UPDATE {{processor_config}} AS config
  SET job_ids = registered.job_ids
  FROM (
    SELECT configured.job_name,
           coalesce(
             array_agg(applied.job_id ORDER BY slot) FILTER (WHERE applied.job_id IS NOT NULL),
             '{}') AS job_ids
    FROM {{processor_config}} AS configured
    CROSS JOIN generate_series(1, configured.max_parallel_jobs) AS slot
    LEFT JOIN {{schema}}.applied_job AS applied
      ON applied.job_name = {{schema}}.cron_job_name(configured.job_name, slot::text)
    GROUP BY configured.job_name
  ) AS registered
  WHERE config.job_name = registered.job_name
    AND config.job_ids IS DISTINCT FROM registered.job_ids;
END
$$;
COMMENT ON FUNCTION {{schema}}.mark_synced IS
  'Records what apply_jobs in the pg_cron database answered: '
  '{"jobs": [{job_name, schedule, command, job_id}]}.';
REVOKE ALL ON FUNCTION {{schema}}.mark_synced FROM PUBLIC;
--! end

--! routine record_cron_side
CREATE OR REPLACE FUNCTION {{schema}}.record_cron_side(
  p_transport text, p_pg_cron_version text, p_cron_database text
) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE {{schema}}.deployment
  SET transport = p_transport, pg_cron_version = p_pg_cron_version,
      cron_database = p_cron_database,
      cron_database_before = CASE WHEN cron_database = p_cron_database THEN cron_database_before
                                  ELSE cron_database END
$$;
COMMENT ON FUNCTION {{schema}}.record_cron_side IS
  'Records how pg_cron is reached from now on (deploy, direct or link), its version and the '
  'database that it is in. Once the cron stream is rolled back: deploy, NULL, and where it was.';
REVOKE ALL ON FUNCTION {{schema}}.record_cron_side FROM PUBLIC;
--! end
