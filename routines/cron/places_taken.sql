-- What rests already may run for a minute more, and what is due may be between two runs: neither
-- the sessions nor the jobs alone tell.
CREATE OR REPLACE FUNCTION {{cron_schema}}.places_taken() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH session AS MATERIALIZED (
    SELECT database, is_own, count(*) AS sessions
    FROM {{cron_schema}}.job_sessions()
    -- What deployments run in this database ends at once, except in single mode.
    WHERE database <> current_database() OR database = {{work_database:literal}} OR NOT is_own
    GROUP BY database, is_own
  ),
  due AS (
    SELECT job.database, count(*) AS jobs FROM cron.job AS job
    WHERE job.username = current_user AND job.active
      AND (job.database <> current_database() OR job.command LIKE 'CALL %')
      AND (job.schedule ~ '^[0-9]+ seconds$' OR job.schedule = '* * * * *')
    GROUP BY job.database
  )
  SELECT (
      SELECT coalesce(sum(greatest(own.sessions, due.jobs)), 0)::bigint
      FROM (SELECT database, sessions FROM session WHERE is_own) AS own
      FULL JOIN due ON due.database = own.database
    ) + (
      SELECT coalesce(sum(sessions), 0)::bigint
             + greatest(0, {{cron_schema}}.hidden_deployments() - count(DISTINCT database))
      FROM session WHERE NOT is_own
    )
$$;
COMMENT ON FUNCTION {{cron_schema}}.places_taken IS
  'How many places in pg_cron are taken at this moment, or will be again at once, by jobs of every '
  'role that stay; those that end at once are not counted.';
REVOKE ALL ON FUNCTION {{cron_schema}}.places_taken FROM PUBLIC;
