-- pg_cron shows a job only to the role that owns it, so everything here runs with the
-- rights of the cron role. A job is ours because of what it calls and where, not
-- because of its name: anyone can use a name.

--! routine is_own
CREATE OR REPLACE FUNCTION {{cron_schema}}.is_own(p_database text, p_command text) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (p_database = {{work_database:literal}}
          AND (starts_with(p_command, format('CALL %I.run_processor(', {{schema:literal}}))
               OR p_command = format('CALL %I.run_maintenance()', {{schema:literal}})))
      OR (p_database = current_database()
          AND starts_with(p_command, format('SELECT %I.prune_job_runs(', {{cron_schema:literal}})))
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_own IS
  'Whether a job with this database and command belongs to this deployment.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_own FROM PUBLIC;
--! end

--! routine own_jobs
CREATE OR REPLACE FUNCTION {{cron_schema}}.own_jobs()
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, active boolean
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT job.jobid, job.jobname::text, job.schedule, job.command, job.database, job.active
  FROM cron.job AS job
  WHERE job.username = current_user
    AND {{cron_schema}}.is_own(job.database, job.command)
$$;
COMMENT ON FUNCTION {{cron_schema}}.own_jobs IS
  'The jobs of pg_cron that belong to this deployment.';
REVOKE ALL ON FUNCTION {{cron_schema}}.own_jobs FROM PUBLIC;
--! end

--! routine desired_job_rows
-- Makes the commands itself: whoever may call apply_jobs chooses names, schedules and slots, and
-- has no say in what runs, or where.
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
$$;
COMMENT ON FUNCTION {{cron_schema}}.desired_job_rows IS
  'The jobs that desired_jobs() in the work database wants, as rows. Reads job_name, schedule and '
  'kind; of a processor''s job also processor and slot, of the history''s keep_days. Command and '
  'database follow from these. The command is NULL for an unknown kind.';
REVOKE ALL ON FUNCTION {{cron_schema}}.desired_job_rows FROM PUBLIC;
--! end
