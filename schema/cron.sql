CREATE SCHEMA partitioncache_work_database;

CREATE FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_job record;
  v_actions jsonb := '[]';
BEGIN
  -- Two appliers at once (a trigger and sync) would both find a job missing.
  PERFORM pg_advisory_xact_lock(quote_ident('partitioncache_work_database')::regnamespace::oid::integer, 0);

  FOR v_job IN
    SELECT own.jobid, own.job_name
    FROM "partitioncache_work_database".own_jobs() AS own
    LEFT JOIN "partitioncache_work_database".desired_job_rows(p_desired) AS desired ON desired.job_name = own.job_name
    -- Re-scheduling an existing name changes neither its database (before 1.6.3) nor whether it is active.
    WHERE desired.job_name IS NULL OR desired.database <> own.database OR NOT own.active
    ORDER BY own.job_name
  LOOP
    PERFORM cron.unschedule(v_job.jobid);
    v_actions := v_actions || jsonb_build_object('action', 'unscheduled', 'job_name', v_job.job_name);
  END LOOP;

  FOR v_job IN
    SELECT desired.*, own.jobid
    FROM "partitioncache_work_database".desired_job_rows(p_desired) AS desired
    LEFT JOIN "partitioncache_work_database".own_jobs() AS own ON own.job_name = desired.job_name
    WHERE (own.schedule, own.command) IS DISTINCT FROM (desired.schedule, desired.command)
    ORDER BY desired.job_name
  LOOP
    PERFORM cron.schedule_in_database(v_job.job_name, v_job.schedule, v_job.command, v_job.database);
    v_actions := v_actions || jsonb_build_object(
      'action', CASE WHEN v_job.jobid IS NULL THEN 'scheduled' ELSE 'altered' END, 'job_name', v_job.job_name);
  END LOOP;

  RETURN jsonb_build_object(
    'actions', v_actions,
    'jobs', (SELECT coalesce(jsonb_agg(jsonb_build_object('job_name', job_name, 'schedule', schedule, 'command', command,
                                                          'job_id', jobid) ORDER BY job_name), '[]')
             FROM "partitioncache_work_database".own_jobs()));
END
$$;

COMMENT ON FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) IS 'Makes pg_cron''s jobs of this deployment those of p_desired (desired_jobs() of the work database). Returns {actions: [{action: scheduled|altered|unscheduled, job_name}], jobs: [{job_name, schedule, command, job_id}]}. Raises what pg_cron raises; then nothing is changed.';

CREATE FUNCTION partitioncache_work_database.desired_job_rows(p_desired jsonb) RETURNS TABLE(job_name text, schedule text, command text, database text)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT desired.job_name, desired.schedule, desired.command, coalesce(desired.database, current_database()::text)
  FROM jsonb_to_recordset(p_desired) AS desired (job_name text, schedule text, command text, database text)
$$;

COMMENT ON FUNCTION partitioncache_work_database.desired_job_rows(p_desired jsonb) IS 'The jobs that desired_jobs() in the work database asks for, as rows; a NULL database is this one.';

CREATE FUNCTION partitioncache_work_database.drift(p_desired jsonb) RETURNS TABLE(job_name text, problem text, desired text, actual text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce(wanted.job_name, own.job_name),
         CASE WHEN own.job_name IS NULL THEN 'missing'
              WHEN wanted.job_name IS NULL THEN 'orphaned'
              ELSE 'altered' END,
         CASE WHEN wanted.job_name IS NOT NULL THEN format('%s %s in %s', wanted.schedule, wanted.command, wanted.database) END,
         CASE WHEN own.job_name IS NOT NULL THEN
           format('%s %s in %s%s', own.schedule, own.command, own.database, CASE WHEN NOT own.active THEN ' (inactive)' END) END
  FROM "partitioncache_work_database".desired_job_rows(p_desired) AS wanted
  FULL JOIN "partitioncache_work_database".own_jobs() AS own ON own.job_name = wanted.job_name
  WHERE (wanted.schedule, wanted.command, wanted.database, true)
        IS DISTINCT FROM (own.schedule, own.command, own.database, own.active)
  UNION ALL
  -- What PartitionCache's own setup left behind: it works on the same queue and is not ours to remove.
  SELECT job.jobname::text, 'foreign', NULL, format('%s %s in %s', job.schedule, job.command, job.database)
  FROM cron.job AS job
  WHERE job.username = current_user
    AND job.database = 'work_database'
    AND strpos(job.command, 'partitioncache_run_single_job') > 0
  ORDER BY 1
$$;

COMMENT ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) IS 'How pg_cron''s jobs differ from p_desired: missing, altered, orphaned (ours, but not desired), foreign (another tool''s jobs on this queue). No row when there is no difference.';

CREATE FUNCTION partitioncache_work_database.is_own(p_database text, p_command text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT (p_database = 'work_database'
          AND (starts_with(p_command, format('CALL %I.run_processor(', 'partitioncache'))
               OR p_command = format('CALL %I.run_maintenance()', 'partitioncache')))
      OR (p_database = current_database()
          AND starts_with(p_command, format('SELECT %I.prune_job_runs(', 'partitioncache_work_database')))
$$;

COMMENT ON FUNCTION partitioncache_work_database.is_own(p_database text, p_command text) IS 'Whether a job with this database and command belongs to this deployment.';

CREATE FUNCTION partitioncache_work_database.job_rows() RETURNS TABLE(jobid bigint, job_name text, schedule text, command text, database text, active boolean, last_run timestamp with time zone, last_status text, last_message text, next_run timestamp with time zone, average_duration interval, runs bigint, failures bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT own.jobid, own.job_name, own.schedule, own.command, own.database, own.active,
         last.start_time, last.status, last.return_message,
         CASE WHEN own.active THEN "partitioncache_work_database".next_run(own.schedule, last.end_time) END,
         history.average_duration, coalesce(history.runs, 0), coalesce(history.failures, 0)
  FROM "partitioncache_work_database".own_jobs() AS own
  LEFT JOIN LATERAL (
    SELECT details.start_time, details.end_time, details.status, details.return_message
    FROM cron.job_run_details AS details WHERE details.jobid = own.jobid
    ORDER BY details.runid DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN LATERAL (
    SELECT avg(details.end_time - details.start_time) FILTER (WHERE details.status = 'succeeded') AS average_duration,
           count(*) AS runs,
           count(*) FILTER (WHERE details.status = 'failed') AS failures
    FROM cron.job_run_details AS details WHERE details.jobid = own.jobid
  ) AS history ON true
  ORDER BY own.job_name
$$;

COMMENT ON FUNCTION partitioncache_work_database.job_rows() IS 'What the view jobs shows, with the rights of the cron role.';

CREATE FUNCTION partitioncache_work_database.job_run_rows() RETURNS TABLE(runid bigint, jobid bigint, job_name text, status text, return_message text, start_time timestamp with time zone, end_time timestamp with time zone, duration interval)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT details.runid, details.jobid, own.job_name, details.status, details.return_message,
         details.start_time, details.end_time, details.end_time - details.start_time
  FROM cron.job_run_details AS details
  JOIN "partitioncache_work_database".own_jobs() AS own ON own.jobid = details.jobid
$$;

COMMENT ON FUNCTION partitioncache_work_database.job_run_rows() IS 'What the view job_runs shows, with the rights of the cron role.';

CREATE FUNCTION partitioncache_work_database.next_run(p_schedule text, p_last_end timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
  WITH clock AS (
    SELECT zone, date_trunc('day', now() AT TIME ZONE zone) AS midnight,
           extract(epoch FROM (now() AT TIME ZONE zone) - date_trunc('day', now() AT TIME ZONE zone)) AS seconds
    -- Only privileged roles may read the setting; GMT is its default.
    FROM (SELECT coalesce(CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('cron.timezone', true) END,
                          'GMT') AS zone) AS setting
  ),
  rule AS (
    SELECT CASE
             WHEN p_schedule = '* * * * *' THEN 60
             WHEN p_schedule ~ '^\*/[0-9]+ \* \* \* \*$' THEN substring(p_schedule FROM '[0-9]+')::integer * 60
             WHEN p_schedule = '0 * * * *' THEN 3600
             WHEN p_schedule ~ '^0 \*/[0-9]+ \* \* \*$' THEN substring(p_schedule FROM '/([0-9]+)')::integer * 3600
             WHEN p_schedule ~ '^[0-9]+ [0-9]+ \* \* \*$' THEN 86400
           END AS step,
           CASE WHEN p_schedule ~ '^[0-9]+ [0-9]+ \* \* \*$'
             THEN split_part(p_schedule, ' ', 1)::integer * 60 + split_part(p_schedule, ' ', 2)::integer * 3600
             ELSE 0
           END AS first
  )
  SELECT CASE
    WHEN p_schedule ~ '^[0-9]+ seconds$'
      THEN greatest(p_last_end + split_part(p_schedule, ' ', 1)::integer * interval '1 s', now())
    ELSE (midnight + make_interval(secs => (floor((seconds - first) / step) + 1) * step + first)) AT TIME ZONE zone
  END
  FROM clock, rule
$_$;

COMMENT ON FUNCTION partitioncache_work_database.next_run(p_schedule text, p_last_end timestamp with time zone) IS 'When pg_cron starts a job next, for the schedules this package writes (NULL for others); hours are GMT unless the cron role may read cron.timezone; p_last_end is the end of its last run.';

CREATE FUNCTION partitioncache_work_database.own_jobs() RETURNS TABLE(jobid bigint, job_name text, schedule text, command text, database text, active boolean)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT job.jobid, job.jobname::text, job.schedule, job.command, job.database, job.active
  FROM cron.job AS job
  WHERE job.username = current_user
    AND "partitioncache_work_database".is_own(job.database, job.command)
$$;

COMMENT ON FUNCTION partitioncache_work_database.own_jobs() IS 'The jobs of pg_cron that belong to this deployment.';

CREATE FUNCTION partitioncache_work_database.prune_job_runs(p_keep_days integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_deleted bigint;
BEGIN
  -- By what the run called, not by job: the history of jobs that are gone is ours to clean up too.
  DELETE FROM cron.job_run_details AS details
  WHERE details.username = current_user
    AND details.end_time < now() - make_interval(days => p_keep_days)
    AND "partitioncache_work_database".is_own(details.database, details.command);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;

COMMENT ON FUNCTION partitioncache_work_database.prune_job_runs(p_keep_days integer) IS 'Deletes this deployment''s runs from cron.job_run_details that ended more than p_keep_days days ago. Returns how many.';

CREATE TABLE partitioncache_work_database.deployment (
    only_row boolean DEFAULT true NOT NULL,
    work_database text NOT NULL,
    work_schema text NOT NULL,
    CONSTRAINT deployment_only_row_check CHECK (only_row)
);

COMMENT ON TABLE partitioncache_work_database.deployment IS 'The work database and the schema in it that this schema schedules for (one row).';

CREATE VIEW partitioncache_work_database.job_runs AS
 SELECT runid,
    jobid,
    job_name,
    status,
    return_message,
    start_time,
    end_time,
    duration
   FROM partitioncache_work_database.job_run_rows() job_run_rows(runid, jobid, job_name, status, return_message, start_time, end_time, duration);

COMMENT ON VIEW partitioncache_work_database.job_runs IS 'The run history of this deployment''s jobs, with their names.';

CREATE VIEW partitioncache_work_database.jobs AS
 SELECT jobid,
    job_name,
    schedule,
    command,
    database,
    active,
    last_run,
    last_status,
    last_message,
    next_run,
    average_duration,
    runs,
    failures
   FROM partitioncache_work_database.job_rows() job_rows(jobid, job_name, schedule, command, database, active, last_run, last_status, last_message, next_run, average_duration, runs, failures);

COMMENT ON VIEW partitioncache_work_database.jobs IS 'This deployment''s jobs with last run, next run, average duration of the successful runs, and failures (as far as the history is kept).';

CREATE TABLE partitioncache_work_database.migrations (
    id integer NOT NULL,
    name character varying(255) NOT NULL,
    run_on timestamp without time zone NOT NULL
);

CREATE SEQUENCE partitioncache_work_database.migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE partitioncache_work_database.migrations_id_seq OWNED BY partitioncache_work_database.migrations.id;

ALTER TABLE ONLY partitioncache_work_database.migrations ALTER COLUMN id SET DEFAULT nextval('partitioncache_work_database.migrations_id_seq'::regclass);

ALTER TABLE ONLY partitioncache_work_database.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY partitioncache_work_database.migrations
    ADD CONSTRAINT migrations_pkey PRIMARY KEY (id);

GRANT USAGE ON SCHEMA partitioncache_work_database TO migrator;

REVOKE ALL ON FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.apply_jobs(p_desired jsonb) TO migrator;

REVOKE ALL ON FUNCTION partitioncache_work_database.desired_job_rows(p_desired jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.drift(p_desired jsonb) TO migrator;

REVOKE ALL ON FUNCTION partitioncache_work_database.is_own(p_database text, p_command text) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache_work_database.job_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.job_rows() TO migrator;

REVOKE ALL ON FUNCTION partitioncache_work_database.job_run_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache_work_database.job_run_rows() TO migrator;

REVOKE ALL ON FUNCTION partitioncache_work_database.next_run(p_schedule text, p_last_end timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache_work_database.own_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION partitioncache_work_database.prune_job_runs(p_keep_days integer) FROM PUBLIC;

GRANT SELECT ON TABLE partitioncache_work_database.deployment TO migrator;

GRANT SELECT ON TABLE partitioncache_work_database.job_runs TO migrator;

GRANT SELECT ON TABLE partitioncache_work_database.jobs TO migrator;
