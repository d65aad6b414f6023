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
