-- pg_cron runs so many jobs at once and no more, for all deployments together. So a deployment
-- without work holds one place, and the jobs that it needs for work are on demand.

--! routine is_first_slot
CREATE OR REPLACE FUNCTION {{cron_schema}}.is_first_slot(p_command text, p_schedule text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT p_command ~ '^CALL .*[.]run_processor[(].*, 1[)]$'
     AND (p_schedule ~ '^[0-9]+ seconds$' OR p_schedule = '* * * * *')
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_first_slot IS
  'Whether a job with this command and schedule is the first slot of a processor, of any '
  'deployment, that starts at least once a minute and so holds a place at all times.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_first_slot FROM PUBLIC;
--! end

--! routine at_work
-- The locks of show_work in the work databases. Every role sees them, also those of roles whose
-- jobs it does not see.
CREATE OR REPLACE FUNCTION {{cron_schema}}.at_work()
RETURNS TABLE (database text, key oid, is_own boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH own AS (
    SELECT {{work_database:literal}} AS database,
           -- pg_locks shows the keys as unsigned.
           (hashtext(encode(convert_to({{schema:literal}}, 'UTF8'), 'hex'))::bigint
            & 4294967295)::oid AS key
  ),
  -- One for each session: a fragment can take as many as it likes, and would divide the places
  -- among deployments that do not exist.
  lock AS (
    SELECT DISTINCT ON (pid) datname::text AS database, pg_locks.objid AS key
    FROM pg_locks
    JOIN pg_database ON pg_database.oid = pg_locks.database
    CROSS JOIN own
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND classid = (hashtext('pcache-migrate at work')::bigint & 4294967295)::oid
    ORDER BY pid, (datname, pg_locks.objid) = (own.database, own.key) DESC, pg_locks.objid
  ),
  -- Somebody else can have the lock to himself, so that a run cannot show its work. An idle run
  -- commits each second.
  long_run AS (
    SELECT own.* FROM own
    WHERE EXISTS (
      SELECT FROM pg_stat_activity
      WHERE datname = own.database AND usename = current_user AND pid <> pg_backend_pid()
        AND xact_start < clock_timestamp() - interval '5 s')
  )
  SELECT busy.database, busy.key, (busy.database, busy.key) = (own.database, own.key)
  FROM (TABLE lock UNION TABLE long_run) AS busy, own
$$;
COMMENT ON FUNCTION {{cron_schema}}.at_work IS
  'The deployments of this server that have work at hand at this moment, and which is this one.';
REVOKE ALL ON FUNCTION {{cron_schema}}.at_work FROM PUBLIC;
--! end

--! routine places
CREATE OR REPLACE FUNCTION {{cron_schema}}.places() RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN pg_has_role('pg_read_all_settings', 'USAGE')
      THEN current_setting('cron.max_running_jobs')::integer
    -- Hidden. These are pg_cron's defaults for its two modes.
    WHEN (SELECT backend_type FROM pg_stat_get_activity(pg_backend_pid())) = 'client backend'
      THEN 32
    ELSE 5
  END
$$;
COMMENT ON FUNCTION {{cron_schema}}.places IS
  'How many jobs pg_cron runs at once (cron.max_running_jobs), or what it does by default where '
  'the cron role may not read the setting. For a session that pg_cron has started.';
REVOKE ALL ON FUNCTION {{cron_schema}}.places FROM PUBLIC;
--! end

--! routine hidden_deployments
CREATE OR REPLACE FUNCTION {{cron_schema}}.hidden_deployments() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The jobs of other roles are hidden, but not this function of theirs, one a deployment.
  SELECT count(*)
  FROM pg_proc
  WHERE proname = 'dispatch' AND proargtypes = '16' -- boolean
    AND NOT pg_is_other_temp_schema(pronamespace) AND pronamespace <> pg_my_temp_schema()
    AND proowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
$$;
COMMENT ON FUNCTION {{cron_schema}}.hidden_deployments IS
  'How many deployments in this pg_cron are of other cron roles, whose jobs this one does not see.';
REVOKE ALL ON FUNCTION {{cron_schema}}.hidden_deployments FROM PUBLIC;
--! end

--! routine job_sessions
CREATE OR REPLACE FUNCTION {{cron_schema}}.job_sessions()
RETURNS TABLE (database text, is_own boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The name that pg_cron gives to its connections, and name_session to its background workers;
  -- a client that is called something like it is none.
  SELECT datname::text, usename = current_user
  FROM pg_stat_activity
  WHERE application_name = 'pg_cron' AND pid <> pg_backend_pid()
$$;
COMMENT ON FUNCTION {{cron_schema}}.job_sessions IS
  'The other sessions in which pg_cron runs a job at this moment, of every role: in which '
  'database, and whether the job is of this role.';
REVOKE ALL ON FUNCTION {{cron_schema}}.job_sessions FROM PUBLIC;
--! end

--! routine places_at_rest
-- Who has no session at this moment, between two runs or for want of a place, still needs one: to
-- go by the sessions alone would give his place away, and he would never get it back.
CREATE OR REPLACE FUNCTION {{cron_schema}}.places_at_rest() RETURNS bigint
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH at_work AS MATERIALIZED (SELECT database FROM {{cron_schema}}.at_work()),
  first_slot AS MATERIALIZED (
    SELECT job.database FROM cron.job AS job
    WHERE job.username = current_user AND job.active
      AND {{cron_schema}}.is_first_slot(job.command, job.schedule)
  )
  SELECT greatest(
    (SELECT count(*)
     FROM {{cron_schema}}.job_sessions()
     WHERE database <> current_database() AND database NOT IN (SELECT database FROM at_work)),
    (SELECT count(*) FROM first_slot WHERE database NOT IN (SELECT database FROM at_work))
    + greatest(0, {{cron_schema}}.hidden_deployments() - (
        SELECT count(*) FROM at_work WHERE database NOT IN (SELECT database FROM first_slot))))
$$;
COMMENT ON FUNCTION {{cron_schema}}.places_at_rest IS
  'How many places in pg_cron the deployments of this server need that have no work at this '
  'moment, of every role, and whoever else has jobs that run.';
REVOKE ALL ON FUNCTION {{cron_schema}}.places_at_rest FROM PUBLIC;
--! end

--! routine places_taken
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
--! end

--! routine own_part
-- Each deployment reckons for itself, from what every role sees: all together take no more than
-- p_places, and nobody waits for anybody.
CREATE OR REPLACE FUNCTION {{cron_schema}}.own_part(p_places bigint, p_turn_seconds integer)
RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH at_work AS (
    SELECT is_own, row_number() OVER (ORDER BY database, key) AS rank,
           count(*) OVER () AS deployments
    FROM {{cron_schema}}.at_work()
  )
  SELECT coalesce(max(
    p_places / deployments
    + CASE
        WHEN (rank + extract(epoch FROM now())::bigint / p_turn_seconds) % deployments
               < p_places % deployments
        THEN 1 ELSE 0
      END), 0)::integer
  FROM at_work
  WHERE is_own AND p_places > 0
$$;
COMMENT ON FUNCTION {{cron_schema}}.own_part IS
  'This deployment''s part of p_places that are divided among all that have work; what cannot be '
  'divided goes round, each p_turn_seconds to the next. 0 if it has no work.';
REVOKE ALL ON FUNCTION {{cron_schema}}.own_part FROM PUBLIC;
--! end

--! routine share_of_places
-- A pg_cron with more jobs due than it may run at once stops looking after some of those that run:
-- they fail to start, or hold their places after their end (its issue 63). So what is at rest is
-- not due, and what is at work keeps to its share.
CREATE OR REPLACE FUNCTION {{cron_schema}}.share_of_places() RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{cron_schema}}.own_part(
    -- One for runs that end at once, such as those in this database.
    {{cron_schema}}.places() - 1 - {{cron_schema}}.places_at_rest(),
    -- A place takes a minute to change hands.
    300)
$$;
COMMENT ON FUNCTION {{cron_schema}}.share_of_places IS
  'How many jobs of pg_cron this deployment may have due: as many as each other one that has work, '
  'of what those without work leave. 0 if it has none.';
REVOKE ALL ON FUNCTION {{cron_schema}}.share_of_places FROM PUBLIC;
--! end

--! routine jobs_on_demand
CREATE OR REPLACE FUNCTION {{cron_schema}}.jobs_on_demand(p_maintenance boolean)
RETURNS TABLE (
  jobid bigint, job_name text, schedule text, command text, database text, awake_schedule text,
  rest_schedule text, helper bigint
)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH own AS (
    SELECT * FROM {{cron_schema}}.own_jobs() WHERE active AND job_name IS NOT NULL
  ),
  slot AS (
    SELECT own.*, parts[1] AS processor, parts[2]::integer AS number
    FROM own, regexp_match(own.command, '^(.*), ([0-9]{1,9})[)]$') AS parts
    WHERE starts_with(own.command, format('CALL %I.run_processor(', {{schema:literal}}))
  )
  SELECT helper.jobid, helper.job_name, helper.schedule, helper.command, helper.database,
         first.schedule, {{cron_schema}}.rest_schedule('processor'),
         row_number() OVER (ORDER BY helper.number, helper.processor COLLATE "C")
  FROM slot AS helper
  JOIN (
    -- One, also where somebody has scheduled the same by hand.
    SELECT DISTINCT ON (processor) processor, schedule
    FROM slot
    WHERE number = 1 AND {{cron_schema}}.is_first_slot(command, schedule)
    ORDER BY processor, jobid
  ) AS first ON first.processor = helper.processor
  WHERE helper.number > 1
  UNION ALL
  SELECT jobid, job_name, schedule, command, database,
         CASE WHEN EXISTS (SELECT FROM own AS any_job WHERE any_job.schedule ~ '^[0-9]+ seconds$')
           THEN '1 seconds'
           ELSE '* * * * *'
         END,
         {{cron_schema}}.rest_schedule('maintenance'),
         0
  FROM own
  WHERE p_maintenance AND command = format('CALL %I.run_maintenance()', {{schema:literal}})
$$;
COMMENT ON FUNCTION {{cron_schema}}.jobs_on_demand IS
  'The jobs of this deployment that rest while there is no work, each with its schedules for times '
  'with work, which a processor''s first slot has at all times, and without. helper: which of the '
  'slots beside the first it is, from 1 on; 0 for maintenance. p_maintenance: whether that is one '
  'of them.';
REVOKE ALL ON FUNCTION {{cron_schema}}.jobs_on_demand FROM PUBLIC;
--! end

--! routine helpers_with_room
CREATE OR REPLACE FUNCTION {{cron_schema}}.helpers_with_room(p_maintenance boolean) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT least(
           {{cron_schema}}.share_of_places(),
           -- Beyond what it has, only what is free: others may not yet have given back what is
           -- above their own share. One part for each dispatch until it looks again.
           first_slots + awake + {{cron_schema}}.own_part(
             {{cron_schema}}.places() - 1 - {{cron_schema}}.places_taken(), 14))
         - 1 - first_slots
  FROM (
    SELECT count(*)::integer AS first_slots
    FROM {{cron_schema}}.own_jobs()
    WHERE active AND {{cron_schema}}.is_first_slot(command, schedule)
  ) AS own,
  (
    -- Maintenance that is not on demand is always due.
    SELECT count(*)::integer + (NOT p_maintenance)::integer AS awake
    FROM {{cron_schema}}.jobs_on_demand(p_maintenance)
    WHERE schedule <> rest_schedule
  ) AS on_demand
$$;
COMMENT ON FUNCTION {{cron_schema}}.helpers_with_room IS
  'How many slots beside the first of each processor may be due, by this deployment''s share of '
  'the places, which the first ones and maintenance take from before them, and by what is free; '
  'below 0 if maintenance may not. p_maintenance: whether maintenance is on demand.';
REVOKE ALL ON FUNCTION {{cron_schema}}.helpers_with_room FROM PUBLIC;
--! end

--! routine starts_in_batches
CREATE OR REPLACE FUNCTION {{cron_schema}}.starts_in_batches() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (string_to_array(substring(extversion FROM '^[0-9]+(?:[.][0-9]+)*'), '.'))::integer[]
           < ARRAY[1, 5]
         AND (SELECT backend_type FROM pg_stat_get_activity(pg_backend_pid())) <> 'client backend'
  FROM pg_extension WHERE extname = 'pg_cron'
$$;
COMMENT ON FUNCTION {{cron_schema}}.starts_in_batches IS
  'Whether this pg_cron waits for the end of the runs that it has begun before it begins others, '
  'which before version 1.5 it does with background workers. For a session that pg_cron has '
  'started.';
REVOKE ALL ON FUNCTION {{cron_schema}}.starts_in_batches FROM PUBLIC;
--! end

--! routine is_at_work
CREATE OR REPLACE FUNCTION {{cron_schema}}.is_at_work() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM {{cron_schema}}.at_work() WHERE is_own)
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_at_work IS
  'Whether this deployment has work at hand at this moment.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_at_work FROM PUBLIC;
--! end

--! routine dispatch
CREATE OR REPLACE FUNCTION {{cron_schema}}.dispatch(p_maintenance boolean) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_awake integer;
  v_job record;
  v_changed integer := 0;
BEGIN
  -- apply_jobs changes the same jobs, and the next run of this one comes soon.
  IF NOT pg_try_advisory_xact_lock(
    quote_ident({{cron_schema:literal}})::regnamespace::oid::integer, 0)
  THEN
    RETURN 0;
  END IF;
  v_awake := CASE
    -- What begins one batch late could come minutes after its work.
    WHEN {{cron_schema}}.starts_in_batches() THEN (SELECT count(*) FROM {{cron_schema}}.own_jobs())
    WHEN {{cron_schema}}.is_at_work() THEN {{cron_schema}}.helpers_with_room(p_maintenance)
    ELSE -1
  END;
  FOR v_job IN
    SELECT *
    FROM (
      SELECT jobs.*,
             CASE WHEN helper <= v_awake THEN awake_schedule ELSE rest_schedule END AS wanted
      FROM {{cron_schema}}.jobs_on_demand(p_maintenance) AS jobs
    ) AS job
    WHERE schedule <> wanted
    ORDER BY helper
  LOOP
    PERFORM cron.schedule_in_database(
      v_job.job_name, v_job.wanted, v_job.command, v_job.database);
    v_changed := v_changed + 1;
  END LOOP;
  RETURN v_changed;
END
$$;
COMMENT ON FUNCTION {{cron_schema}}.dispatch IS
  'Wakes the jobs of this deployment that are on demand when it has work, and puts them to rest '
  'when it has none, or others need the places: by their schedules. Where starts_in_batches, all '
  'stay awake. p_maintenance: whether maintenance is one of them. Returns how many it has changed.';
REVOKE ALL ON FUNCTION {{cron_schema}}.dispatch FROM PUBLIC;
--! end
