-- Makes the commands itself: whoever may call apply_jobs chooses schedules and slots, and has no
-- say in what runs, or where.
CREATE OR REPLACE FUNCTION {{cron_schema}}.desired_job_rows(p_desired jsonb)
RETURNS TABLE (job_name text, schedule text, command text, database text)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT desired.job_name, desired.schedule,
         CASE desired.kind
           WHEN 'processor' THEN
             format('CALL %I.run_processor(%L, %s)',
                    {{schema:literal}}, desired.processor, desired.slot)
           WHEN 'maintenance' THEN format('CALL %I.run_maintenance()', {{schema:literal}})
           WHEN 'history' THEN
             format('SELECT %I.prune_job_runs(%s)', {{cron_schema:literal}}, desired.keep_days)
         END,
         CASE desired.kind
           WHEN 'history' THEN current_database()::text
           ELSE {{work_database:literal}}
         END
  FROM jsonb_to_recordset(p_desired) AS desired (
    job_name text, schedule text, kind text, processor text, slot integer, keep_days integer)
  -- A rollback in part leaves the jobs that call what it leaves.
  WHERE desired.kind <> 'history' OR to_regprocedure(
    format('%I.prune_job_runs(integer)', {{cron_schema:literal}})) IS NOT NULL
$$;
COMMENT ON FUNCTION {{cron_schema}}.desired_job_rows IS
  'The jobs that desired_jobs() in the work database wants, as rows. Reads job_name, schedule and '
  'kind; of a processor''s job also processor and slot, of the history''s keep_days. Command and '
  'database follow from these. Without the jobs that call what is not there.';
REVOKE ALL ON FUNCTION {{cron_schema}}.desired_job_rows FROM PUBLIC;
