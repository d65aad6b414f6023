-- The job views that pg_cron lacks: cron.job has no runs, and cron.job_run_details has no names.

--! routine next_run
CREATE OR REPLACE FUNCTION {{cron_schema}}.next_run(p_schedule text, p_last_end timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH clock AS (
    SELECT zone, date_trunc('day', now() AT TIME ZONE zone) AS midnight,
           extract(epoch FROM (now() AT TIME ZONE zone)
                              - date_trunc('day', now() AT TIME ZONE zone)) AS seconds
    -- Only privileged roles may read the setting; GMT is its default.
    FROM (
      SELECT coalesce(
        CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
          THEN current_setting('cron.timezone', true)
        END,
        'GMT') AS zone
    ) AS setting
  ),
  rule AS (
    SELECT CASE
             WHEN p_schedule = '* * * * *' THEN 60
             WHEN p_schedule ~ '^[*]/[0-9]+ [*] [*] [*] [*]$'
               THEN substring(p_schedule FROM '[0-9]+')::integer * 60
             WHEN p_schedule ~ '^[0-9]+ [*] [*] [*] [*]$' THEN 3600
             WHEN p_schedule ~ '^0 [*]/[0-9]+ [*] [*] [*]$'
               THEN substring(p_schedule FROM '/([0-9]+)')::integer * 3600
             WHEN p_schedule ~ '^[0-9]+ [0-9]+ [*] [*] [*]$' THEN 86400
           END AS step,
           CASE WHEN p_schedule ~ '^[0-9]+ [0-9]+ [*] [*] [*]$'
             THEN split_part(p_schedule, ' ', 1)::integer * 60
                  + split_part(p_schedule, ' ', 2)::integer * 3600
             WHEN p_schedule ~ '^[0-9]+ [*] [*] [*] [*]$'
               THEN split_part(p_schedule, ' ', 1)::integer * 60
             ELSE 0
           END AS first
  )
  SELECT CASE
    WHEN p_schedule ~ '^[0-9]+ seconds$'
      THEN greatest(p_last_end + split_part(p_schedule, ' ', 1)::integer * interval '1 s', now())
    ELSE
      (midnight + make_interval(secs => (floor((seconds - first) / step) + 1) * step + first))
        AT TIME ZONE zone
  END
  FROM clock, rule
$$;
COMMENT ON FUNCTION {{cron_schema}}.next_run IS
  'When pg_cron next starts a job, for the schedules that this package writes (NULL for others). '
  'p_last_end is the end of its last run. Hours are in GMT unless the cron role may read '
  'cron.timezone.';
REVOKE ALL ON FUNCTION {{cron_schema}}.next_run FROM PUBLIC;
--! end

--! routine job_rows
CREATE OR REPLACE FUNCTION {{cron_schema}}.job_rows()
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, active boolean,
  last_run timestamptz, last_status text, last_message text, next_run timestamptz,
  average_duration interval, runs bigint, failures bigint
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT own.jobid, own.job_name, own.schedule, own.command, own.database, own.active,
         last.start_time, last.status, last.return_message,
         CASE WHEN own.active THEN {{cron_schema}}.next_run(own.schedule, last.end_time) END,
         history.average_duration, coalesce(history.runs, 0), coalesce(history.failures, 0)
  FROM {{cron_schema}}.own_jobs() AS own
  LEFT JOIN LATERAL (
    SELECT details.start_time, details.end_time, details.status, details.return_message
    FROM cron.job_run_details AS details WHERE details.jobid = own.jobid
    ORDER BY details.runid DESC LIMIT 1
  ) AS last ON true
  LEFT JOIN LATERAL (
    SELECT avg(details.end_time - details.start_time)
             FILTER (WHERE details.status = 'succeeded') AS average_duration,
           count(*) AS runs,
           count(*) FILTER (WHERE details.status = 'failed') AS failures
    FROM cron.job_run_details AS details WHERE details.jobid = own.jobid
  ) AS history ON true
  ORDER BY own.job_name
$$;
COMMENT ON FUNCTION {{cron_schema}}.job_rows IS
  'What the view jobs shows, with the rights of the cron role.';
REVOKE ALL ON FUNCTION {{cron_schema}}.job_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{cron_schema}}.job_rows TO {{migrator_role}};
--! end

--! routine job_run_rows
CREATE OR REPLACE FUNCTION {{cron_schema}}.job_run_rows()
RETURNS TABLE (
  runid bigint, jobid bigint, job_name text, status text, return_message text,
  start_time timestamptz, end_time timestamptz, duration interval
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT details.runid, details.jobid, own.job_name, details.status, details.return_message,
         details.start_time, details.end_time, details.end_time - details.start_time
  FROM cron.job_run_details AS details
  JOIN {{cron_schema}}.own_jobs() AS own ON own.jobid = details.jobid
$$;
COMMENT ON FUNCTION {{cron_schema}}.job_run_rows IS
  'What the view job_runs shows, with the rights of the cron role.';
REVOKE ALL ON FUNCTION {{cron_schema}}.job_run_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{cron_schema}}.job_run_rows TO {{migrator_role}};
--! end

--! routine jobs
CREATE OR REPLACE VIEW {{cron_schema}}.jobs AS SELECT * FROM {{cron_schema}}.job_rows();
COMMENT ON VIEW {{cron_schema}}.jobs IS
  'This deployment''s jobs with their last run, next run, average duration of the successful runs, '
  'and failures (as far back as the history is kept).';
GRANT SELECT ON {{cron_schema}}.jobs TO {{migrator_role}};
--! end

--! routine job_runs
CREATE OR REPLACE VIEW {{cron_schema}}.job_runs AS SELECT * FROM {{cron_schema}}.job_run_rows();
COMMENT ON VIEW {{cron_schema}}.job_runs IS
  'The run history of this deployment''s jobs, with their names.';
GRANT SELECT ON {{cron_schema}}.job_runs TO {{migrator_role}};
--! end
