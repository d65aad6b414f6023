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
