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
          AND (starts_with(p_command, format('SELECT %I.prune_job_runs(', {{cron_schema:literal}}))
               OR starts_with(p_command, format('SELECT %I.dispatch(', {{cron_schema:literal}}))))
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_own IS
  'Whether a job with this database and command belongs to this deployment.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_own FROM PUBLIC;
--! end

--! routine own_jobs
CREATE OR REPLACE FUNCTION {{cron_schema}}.own_jobs()
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, active boolean,
  is_here boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT job.jobid, job.jobname::text, job.schedule, job.command, job.database, job.active,
         -- A copy of a whole server has the jobs as they were made: pg_cron logs in by their port.
         -- A standby starts none, and shows those of its primary.
         job.nodeport = current_setting('port')::integer OR pg_is_in_recovery()
  FROM cron.job AS job
  WHERE job.username = current_user
    AND {{cron_schema}}.is_own(job.database, job.command)
$$;
COMMENT ON FUNCTION {{cron_schema}}.own_jobs IS
  'The jobs of pg_cron that belong to this deployment. is_here: whether they are made for this '
  'server, by its port.';
REVOKE ALL ON FUNCTION {{cron_schema}}.own_jobs FROM PUBLIC;
--! end

--! routine rest_schedule
CREATE OR REPLACE FUNCTION {{cron_schema}}.rest_schedule(p_kind text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE p_kind
    -- It keeps queue and log small as well. Not all deployments in the same minute.
    WHEN 'maintenance' THEN format('%s * * * *',
      abs(mod(hashtext(encode(convert_to({{cron_schema:literal}}, 'UTF8'), 'hex')), 60)))
    -- On the 30th of February.
    WHEN 'processor' THEN '0 0 30 2 *'
  END
$$;
COMMENT ON FUNCTION {{cron_schema}}.rest_schedule IS
  'The schedule of a job on demand while there is no work: once an hour for maintenance, never for '
  'a slot of a processor.';
REVOKE ALL ON FUNCTION {{cron_schema}}.rest_schedule FROM PUBLIC;
--! end

--! routine desired_job_rows
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
--! end

--! routine is_own_name
-- The rules of cron_job_name in the work database, read from the other side. They are unambiguous:
-- no other deployment or database has such a name, nor has PartitionCache's own tool.
CREATE OR REPLACE FUNCTION {{cron_schema}}.is_own_name(p_job_name text, p_processors text[])
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT starts_with(p_job_name, 'partitioncache_') AND CASE
    WHEN p_job_name ~ '_[0-9a-f]{12}_[^_]+$' THEN
      substring(p_job_name FROM '_([0-9a-f]{12})_[^_]+$') IN (
        SELECT left(encode(sha256(convert_to(jsonb_build_array(
          {{work_database:literal}}, {{schema:literal}}, processor)::text, 'UTF8')), 'hex'), 12)
        -- NULL stands for the jobs of the deployment itself.
        FROM unnest(array_append(p_processors, NULL)) AS processor)
    ELSE {{schema:literal}} = 'partitioncache'
      AND NOT starts_with(p_job_name, 'partitioncache_process_queue_')
      AND starts_with(p_job_name, 'partitioncache_' || {{work_database:literal}} || '_')
      AND substr(p_job_name, length('partitioncache_' || {{work_database:literal}} || '_') + 1)
          ~ '^(maintenance|history|dispatch|[^_]+_[0-9]+)$'
  END
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_own_name IS
  'Whether a job of this name can only be one of this deployment. Names with a hash are recognised '
  'for the deployment''s own jobs and for those of p_processors.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_own_name FROM PUBLIC;
--! end

--! routine is_of_another
CREATE OR REPLACE FUNCTION {{cron_schema}}.is_of_another(p_database text, p_command text)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_is_own boolean;
BEGIN
  -- Only functions of the cron role itself, as whom this runs: anybody can give that name to one.
  FOR v_schema IN
    SELECT nspname
    FROM pg_proc
    JOIN pg_namespace ON pg_namespace.oid = pronamespace
    JOIN pg_roles ON pg_roles.oid = proowner
    WHERE proname = 'is_own' AND oidvectortypes(proargtypes) = 'text, text'
      AND rolname = current_user AND nspname <> {{cron_schema:literal}}
  LOOP
    EXECUTE format('SELECT %I.is_own($1, $2)', v_schema) INTO v_is_own USING p_database, p_command;
    IF v_is_own THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_of_another IS
  'Whether a job with this database and command belongs to another deployment of the same cron '
  'role, such as a second one in the same work database.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_of_another FROM PUBLIC;
--! end

--! routine alien_jobs
CREATE OR REPLACE FUNCTION {{cron_schema}}.alien_jobs(p_desired jsonb)
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, active boolean,
  has_own_name boolean
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH processors AS (
    SELECT array_agg(processor) AS names
    FROM jsonb_to_recordset(p_desired) AS desired (processor text)
  ),
  job AS (
    SELECT job.*,
           coalesce({{cron_schema}}.is_own_name(job.jobname::text, processors.names), false)
             AS has_own_name
    FROM cron.job AS job, processors
    WHERE job.username = current_user AND NOT {{cron_schema}}.is_own(job.database, job.command)
  )
  SELECT job.jobid, coalesce(job.jobname::text, format('(job %s)', job.jobid)), job.schedule,
         job.command, job.database, job.active, job.has_own_name
  FROM job
  WHERE job.has_own_name
     OR (job.database = {{work_database:literal}}
         AND NOT {{cron_schema}}.is_of_another(job.database, job.command))
$$;
COMMENT ON FUNCTION {{cron_schema}}.alien_jobs IS
  'Jobs of the cron role that are of no deployment and carry a name of this one (has_own_name) or '
  'run in its work database. p_desired: desired_jobs() of the work database.';
REVOKE ALL ON FUNCTION {{cron_schema}}.alien_jobs FROM PUBLIC;
--! end
