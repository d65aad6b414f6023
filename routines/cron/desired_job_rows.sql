-- Makes the commands itself: whoever may call apply_jobs chooses schedules and slots, and has no
-- say in what runs, or where.
CREATE OR REPLACE FUNCTION {{cron_schema}}.desired_job_rows(p_desired jsonb)
RETURNS TABLE (
  job_name text, schedule text, rest_schedule text, command text, database text
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT desired.job_name, desired.schedule,
         CASE WHEN desired.on_demand AND dispatch.is_here
           THEN {{cron_schema}}.rest_schedule(desired.kind)
         END,
         CASE desired.kind
           WHEN 'processor' THEN
             format('CALL %I.run_processor(%L, %s)',
                    {{schema:literal}}, desired.processor, desired.slot)
           WHEN 'maintenance' THEN format('CALL %I.run_maintenance()', {{schema:literal}})
           WHEN 'history' THEN
             format('SELECT %I.prune_job_runs(%s)', {{cron_schema:literal}}, desired.keep_days)
           WHEN 'dispatch' THEN
             format('SELECT %I.dispatch(%s)', {{cron_schema:literal}},
                    coalesce(bool_or(desired.on_demand AND desired.kind = 'maintenance') OVER (),
                             false)::text)
         END,
         CASE
           WHEN desired.kind IN ('history', 'dispatch') THEN current_database()::text
           ELSE {{work_database:literal}}
         END
  FROM jsonb_to_recordset(p_desired) AS desired (
    job_name text, schedule text, kind text, processor text, slot integer, keep_days integer,
    on_demand boolean)
  -- A rollback in part leaves the jobs that call what it leaves, and none at rest that nobody
  -- wakes.
  CROSS JOIN LATERAL (
    SELECT to_regprocedure(
      format('%I.dispatch(boolean)', {{cron_schema:literal}})) IS NOT NULL AS is_here
  ) AS dispatch
  WHERE CASE desired.kind
    WHEN 'dispatch' THEN dispatch.is_here
    WHEN 'history' THEN to_regprocedure(
      format('%I.prune_job_runs(integer)', {{cron_schema:literal}})) IS NOT NULL
    ELSE true
  END
$$;
COMMENT ON FUNCTION {{cron_schema}}.desired_job_rows IS
  'The jobs that desired_jobs() in the work database wants, as rows. Reads job_name, schedule, '
  'kind and on_demand; of a processor''s job also processor and slot, of the history''s keep_days. '
  'Command and database follow from these. rest_schedule: the schedule that a job on demand may '
  'have as well, or NULL. Without the jobs that call what is not there.';
REVOKE ALL ON FUNCTION {{cron_schema}}.desired_job_rows FROM PUBLIC;
