-- What was deployed here, and the settings that are not part of the clients' contract.
-- Both tables hold exactly one row: a deployment is one schema with one queue and one cache.

GRANT USAGE ON SCHEMA {{schema}} TO {{cron_role}}, {{client_role}};

--! routine system_identifier
CREATE OR REPLACE FUNCTION {{schema}}.system_identifier() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF has_function_privilege('pg_control_system()', 'EXECUTE') THEN
    RETURN (SELECT system_identifier FROM pg_control_system());
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION {{schema}}.system_identifier IS
  'What tells this cluster from every other; NULL where the platform hides it.';
REVOKE ALL ON FUNCTION {{schema}}.system_identifier FROM PUBLIC;
--! end

CREATE TABLE {{schema}}.deployment (
  only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  work_database   text NOT NULL,
  client_schema   text NOT NULL,
  queue_prefix    text NOT NULL,
  table_prefix    text NOT NULL,
  cache_backend   text NOT NULL CHECK (cache_backend IN ('array', 'bit', 'roaringbit')),
  cron_schema     text NOT NULL,
  cron_role       text NOT NULL,
  client_role     text NOT NULL,
  fragment_role   text,
  transport       text NOT NULL DEFAULT 'deploy' CHECK (transport IN ('deploy', 'direct', 'link')),
  pg_cron_version text,
  cron_database   text,
  cron_database_before text,
  cron_database_next text,
  cron_database_left text,
  database_oid    oid NOT NULL,
  system_identifier text
);

COMMENT ON TABLE {{schema}}.deployment IS
  'The deployment to which this schema belongs (one row). Written by '
  'pcache-migrate; do not edit it by hand.';
COMMENT ON COLUMN {{schema}}.deployment.work_database IS
  'The name of this database when it was deployed or adopted. By it, its oid and the system '
  'identifier a renamed, copied or restored database is known as such: see has_moved.';
COMMENT ON COLUMN {{schema}}.deployment.database_oid IS
  'Its oid then: a copy or a restored database has another one, a renamed one has not.';
COMMENT ON COLUMN {{schema}}.deployment.system_identifier IS
  'The cluster it was in then; NULL where the platform hides that.';
COMMENT ON COLUMN {{schema}}.deployment.fragment_role IS
  'The role whose rights fragments have; NULL: those of whoever runs the processor. '
  'set_fragment_role changes it.';
COMMENT ON COLUMN {{schema}}.deployment.transport IS
  'How a change of the processor configuration reaches pg_cron. deploy: '
  'pcache-migrate sync applies it; direct: the sync_cron trigger calls pg_cron in '
  'this database; link: the trigger calls it over dblink.';
COMMENT ON COLUMN {{schema}}.deployment.pg_cron_version IS
  'Version of the extension pg_cron when the cron stream was last deployed; NULL before that, and '
  'once it is rolled back. It decides whether a schedule can be given in seconds (1.5 and later).';
COMMENT ON COLUMN {{schema}}.deployment.cron_database IS
  'The database of the same server in which the cron stream was last deployed; NULL before that. '
  'It is still there unless pg_cron_version is NULL.';
COMMENT ON COLUMN {{schema}}.deployment.cron_database_before IS
  'The database that it was in before that one; NULL if it never left one. Jobs of others may have '
  'stayed there.';
COMMENT ON COLUMN {{schema}}.deployment.cron_database_next IS
  'The database that a change of mode takes it to; NULL once that is finished.';
COMMENT ON COLUMN {{schema}}.deployment.cron_database_left IS
  'The database that a change of mode takes it from, which is what leads back; NULL once that is '
  'finished. After a change that was turned round, none of the others says so.';

INSERT INTO {{schema}}.deployment
  (work_database, client_schema, queue_prefix, table_prefix,
   cache_backend, cron_schema, cron_role, client_role,
   database_oid, system_identifier)
SELECT
   {{work_database:literal}}, {{client_schema:literal}},
   {{queue_prefix:literal}}, {{table_prefix:literal}},
   {{cache_backend:literal}}, {{cron_schema:literal}},
   {{cron_role:literal}}, {{client_role:literal}},
   oid, {{schema}}.system_identifier()
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database();

--! routine has_moved
CREATE OR REPLACE FUNCTION {{schema}}.has_moved() RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (work_database <> current_database()
          OR database_oid <> (SELECT oid FROM pg_database WHERE datname = current_database())
          OR system_identifier <> {{schema}}.system_identifier()) IS TRUE
  FROM {{schema}}.deployment
$$;
COMMENT ON FUNCTION {{schema}}.has_moved IS
  'Whether this is not the database that was deployed, but it renamed, a copy or a restored one: '
  'the jobs in pg_cron may be those of another, until pcache-migrate adopt.';
REVOKE ALL ON FUNCTION {{schema}}.has_moved FROM PUBLIC;
--! end

CREATE TABLE {{schema}}.settings (
  only_row              boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- A batch takes about a quarter of a second: only quick fragments reach this limit.
  batch_size            integer NOT NULL DEFAULT 1000 CHECK (batch_size BETWEEN 1 AND 10000),
  max_attempts          integer NOT NULL DEFAULT 3 CHECK (max_attempts > 0),
  retry_backoff_seconds integer NOT NULL DEFAULT 300 CHECK (retry_backoff_seconds >= 0),
  log_retention_days    integer NOT NULL DEFAULT 30 CHECK (log_retention_days > 0),
  run_retention_days    integer NOT NULL DEFAULT 7 CHECK (run_retention_days > 0),
  max_slots             integer NOT NULL DEFAULT 20 CHECK (max_slots > 0)
);

COMMENT ON TABLE {{schema}}.settings IS
  'Settings of the processor beyond the clients'' configuration '
  'table (one row, read live by every run).';
COMMENT ON COLUMN {{schema}}.settings.batch_size IS
  'The most fragments that a run claims at once. It claims fewer where these would '
  'take longer than about a quarter of a second.';
COMMENT ON COLUMN {{schema}}.settings.max_attempts IS
  'After how many attempts without a result a fragment is set aside as '
  'failed. Such attempts are deadlocks, serialization failures, and deaths of '
  'the run that only this fragment can have caused.';
COMMENT ON COLUMN {{schema}}.settings.retry_backoff_seconds IS
  'For how many seconds a fragment that is queued again after a '
  'failure, a timeout or an exceeded limit waits.';
COMMENT ON COLUMN {{schema}}.settings.log_retention_days IS
  'For how many days rows of the processor log are kept.';
COMMENT ON COLUMN {{schema}}.settings.run_retention_days IS
  'For how many days pg_cron''s run history of our jobs is kept '
  '(takes effect with the next sync).';

COMMENT ON COLUMN {{schema}}.settings.max_slots IS
  'How many slots the enabled processors may have together: each takes a place in pg_cron, which '
  'other databases share.';

INSERT INTO {{schema}}.settings DEFAULT VALUES;

CREATE TABLE {{schema}}.hold (
  holder  text PRIMARY KEY CHECK (holder IN ('pause', 'up', 'down', 'mode', 'adopt')),
  reason  text NOT NULL,
  held_by text NOT NULL DEFAULT session_user,
  host    text,
  since   timestamptz NOT NULL DEFAULT clock_timestamp(),
  pid     integer
);

COMMENT ON TABLE {{schema}}.hold IS
  'Who keeps processing from going on, and why; the configuration of the processors stays as it '
  'is. Advisory locks whose first key is this table say which sessions are at it: second key 0, a '
  'session that holds; 1, a run of maintenance; 2, a run by hand in somebody''s transaction; 3, a '
  'run that is just beginning.';
COMMENT ON COLUMN {{schema}}.hold.host IS
  'Where it was typed.';
COMMENT ON COLUMN {{schema}}.hold.pid IS
  'The session with which the hold ends; NULL: it stands until it is released.';

GRANT SELECT ON {{schema}}.hold TO {{cron_role}};

-- Not to clients, who have no rights on any table of this schema.
GRANT SELECT ON {{schema}}.deployment, {{schema}}.settings TO {{cron_role}};

--! routine last_release
CREATE OR REPLACE VIEW {{schema}}.last_release AS
  SELECT release.number, release.package_version, release.label, release.started_at,
         release.finished_at, release.outcome
  FROM {{schema}}.release
  WHERE release.undone_at IS NULL
  ORDER BY release.number DESC
  LIMIT 1;
COMMENT ON VIEW {{schema}}.last_release IS
  'The last release that was not undone; no row: there is none. For a view over all deployments by '
  'the role that they share, so without where it came from (role, host and program). The table is '
  'closed to everybody: what is in it is run.';
GRANT SELECT ON {{schema}}.last_release TO {{cron_role}};
--! end

--! routine holds_1
CREATE OR REPLACE VIEW {{schema}}.holds_1 AS
  SELECT hold.holder, hold.reason, hold.held_by, hold.host, hold.since, hold.pid
  FROM {{schema}}.hold
  -- The pid alone may belong to another session by now; the lock ends with its session.
  LEFT JOIN pg_catalog.pg_locks AS locks
    ON locks.locktype = 'advisory' AND locks.granted AND locks.pid = hold.pid
    AND locks.database = (
      SELECT this.oid FROM pg_catalog.pg_database AS this
      WHERE this.datname = pg_catalog.current_database())
    AND locks.classid = hold.tableoid AND locks.objid = 0 AND locks.objsubid = 2
  WHERE hold.pid IS NULL OR locks.pid IS NOT NULL;
COMMENT ON VIEW {{schema}}.holds_1 IS
  'What keeps processing from going on at this moment; no row: nothing does. pid: the session with '
  'which the hold ends; NULL: it stands until it is released. Contract 1: these columns stay, for '
  'other versions of pcache-migrate.';
GRANT SELECT ON {{schema}}.holds_1 TO {{cron_role}}, {{client_role}};
--! end

--! routine is_held
CREATE OR REPLACE FUNCTION {{schema}}.is_held() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM {{schema}}.holds_1);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_held IS
  'Whether nothing may be processed at this moment, because somebody paused or because up or down '
  'is at work. Runs ask at each step.';
REVOKE ALL ON FUNCTION {{schema}}.is_held FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_held TO {{cron_role}}, {{client_role}};
--! end

--! routine require_no_hold
CREATE OR REPLACE FUNCTION {{schema}}.require_no_hold() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_hold record;
BEGIN
  SELECT * INTO v_hold FROM {{schema}}.holds_1 ORDER BY since LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'processing is held by "%" since % (role %): %',
      v_hold.holder, date_trunc('second', v_hold.since), v_hold.held_by, v_hold.reason
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = CASE v_hold.holder
              WHEN 'pause' THEN 'pcache-migrate resume ends it.'
              ELSE format('It ends with pcache-migrate %s.', v_hold.holder) END;
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_no_hold IS
  'For runs by hand: raises 55000 while processing is held (holds_1), with who holds it and why.';
REVOKE ALL ON FUNCTION {{schema}}.require_no_hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_no_hold TO {{cron_role}}, {{client_role}};
--! end

--! routine place_hold
CREATE OR REPLACE FUNCTION {{schema}}.place_hold(
  p_holder text, p_reason text, p_host text, p_with_session boolean
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_pid integer := CASE WHEN p_with_session THEN pg_backend_pid() END;
  v_other record;
BEGIN
  -- Shared, so that a session that holds for another reason is not in the way.
  IF p_with_session AND NOT pg_try_advisory_lock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 0)
  THEN
    SELECT pid, usename, nullif(application_name, '') AS application, backend_start
    INTO v_other
    FROM pg_locks LEFT JOIN pg_stat_activity AS activity USING (pid)
    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = (quote_ident({{schema:literal}}) || '.hold')::regclass AND objid = 0
      AND objsubid = 2;
    RAISE EXCEPTION
      'another session has taken the lock by which processing is held: %',
      concat_ws(', ', 'pid ' || v_other.pid, 'role "' || v_other.usename || '"',
        'application "' || v_other.application || '"', 'connected since ' || v_other.backend_start)
      USING ERRCODE = 'lock_not_available',
            HINT = format(
              'It is no session of pcache-migrate. As that role or an administrator, end it: '
              'SELECT pg_terminate_backend(%s); and who may not be trusted with that, should not '
              'be allowed to connect to this database.', v_other.pid);
  END IF;
  INSERT INTO {{schema}}.hold (holder, reason, host, pid)
  VALUES (p_holder, p_reason, p_host, v_pid)
  ON CONFLICT (holder) DO UPDATE
    SET reason = EXCLUDED.reason, host = EXCLUDED.host, pid = EXCLUDED.pid,
        held_by = EXCLUDED.held_by, since = EXCLUDED.since
    -- What a lost session left behind. What stands keeps its reason and its time.
    WHERE hold.pid IS NOT NULL;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION {{schema}}.place_hold IS
  'Keeps processing from going on, for p_holder (pause, up, down, mode, adopt) and p_reason, typed '
  'at p_host. p_with_session: only as long as this session lasts, else until release_hold. Returns '
  'false where this holder holds already. Raises 55P03 when a stranger has the lock.';
REVOKE ALL ON FUNCTION {{schema}}.place_hold FROM PUBLIC;
--! end

--! routine release_hold
CREATE OR REPLACE FUNCTION {{schema}}.release_hold(p_holder text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_class CONSTANT integer := (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer;
  v_pid integer;
  v_found boolean;
BEGIN
  DELETE FROM {{schema}}.hold WHERE holder = p_holder RETURNING pid INTO v_pid;
  v_found := FOUND;
  IF v_pid = pg_backend_pid() THEN
    PERFORM pg_advisory_unlock_shared(c_class, 0);
  END IF;
  RETURN v_found;
END
$$;
COMMENT ON FUNCTION {{schema}}.release_hold IS
  'Ends the hold of p_holder, and no other. Returns false where there was none.';
REVOKE ALL ON FUNCTION {{schema}}.release_hold FROM PUBLIC;
--! end

--! routine pause_1
CREATE OR REPLACE FUNCTION {{schema}}.pause_1(p_reason text, p_host text DEFAULT NULL)
RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{schema}}.place_hold('pause', p_reason, p_host, false)
$$;
COMMENT ON FUNCTION {{schema}}.pause_1 IS
  'Stops all processing until resume_1: runs end within about a second, or with the fragment that '
  'they evaluate. Returns false where it was paused already, and then keeps that reason. Contract '
  '1: name, arguments and result stay, for other versions of pcache-migrate.';
REVOKE ALL ON FUNCTION {{schema}}.pause_1 FROM PUBLIC;
--! end

--! routine resume_1
CREATE OR REPLACE FUNCTION {{schema}}.resume_1() RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{schema}}.release_hold('pause')
$$;
COMMENT ON FUNCTION {{schema}}.resume_1 IS
  'Ends a pause: what is enabled is processed again. Returns false where nothing was paused. Holds '
  'of others stay (holds_1). Contract 1: name, arguments and result stay, for other versions of '
  'pcache-migrate.';
REVOKE ALL ON FUNCTION {{schema}}.resume_1 FROM PUBLIC;
--! end

--! routine service
CREATE OR REPLACE VIEW {{schema}}.service AS
  SELECT deployment.client_schema, deployment.queue_prefix, deployment.table_prefix,
         deployment.cache_backend, deployment.fragment_role, settings.max_attempts,
         settings.retry_backoff_seconds, settings.max_slots
  FROM {{schema}}.deployment, {{schema}}.settings;
COMMENT ON VIEW {{schema}}.service IS
  'What functions that run with the rights of a client need to know of the deployment and its '
  'settings (one row).';
GRANT SELECT ON {{schema}}.service TO {{client_role}}, {{cron_role}};
--! end

--! routine deployment_schemas
-- The functions that clients call live in the clients' schema, once for all deployments of the
-- database.
CREATE OR REPLACE FUNCTION {{schema}}.deployment_schemas() RETURNS SETOF name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT nspname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
  WHERE relname = 'deployment' AND relkind = 'r'
    -- To read anything else could run its owner's code.
    AND NOT relrowsecurity AND NOT relhassubclass
    AND NOT EXISTS (
      SELECT FROM pg_attribute AS a JOIN pg_type ON pg_type.oid = a.atttypid
      WHERE a.attrelid = pg_class.oid AND a.attnum > 0
        AND typnamespace <> 'pg_catalog'::regnamespace)
$$;
COMMENT ON FUNCTION {{schema}}.deployment_schemas IS
  'The schemas of all deployments in this database, whoever made them.';
REVOKE ALL ON FUNCTION {{schema}}.deployment_schemas FROM PUBLIC;
--! end

--! routine is_last_deployment
CREATE OR REPLACE FUNCTION {{schema}}.is_last_deployment() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_client_schema text;
BEGIN
  FOR v_schema IN
    SELECT nspname FROM {{schema}}.deployment_schemas() AS nspname
    -- Nothing that another migrator deployed is shared with us: the functions have one owner.
    WHERE pg_has_role(
      (SELECT relowner FROM pg_class
       WHERE relname = 'deployment' AND relnamespace = quote_ident(nspname)::regnamespace),
      'USAGE')
  LOOP
    EXECUTE format('SELECT client_schema FROM %I.deployment', v_schema) INTO v_client_schema;
    IF v_schema <> {{schema:literal}} AND v_client_schema = {{client_schema:literal}} THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.is_last_deployment IS
  'Whether no other deployment of this database shares the clients'' schema, so that the shared '
  'objects may be dropped with this one.';
REVOKE ALL ON FUNCTION {{schema}}.is_last_deployment FROM PUBLIC;
--! end

-- Tables of the clients' schema are used only as we made them.
--! routine foreign_parts
-- What is named here could run as whoever writes or reads the table. An owner other than ours can
-- add such a thing at any time. On a table of ours it is a relic of somebody who was allowed to.
-- Asked for all tables at once, since this is asked with each chunk of results.
CREATE OR REPLACE FUNCTION {{schema}}.foreign_parts(p_tables oid[])
RETURNS TABLE (relation regclass, part text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- To plan these takes five times as long as to run them.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  v_schema oid := quote_ident({{schema:literal}})::regnamespace;
  v_owner oid := (
    SELECT relowner FROM pg_class WHERE relname = 'deployment' AND relnamespace = v_schema);
  v_table pg_class;
BEGIN
  FOR v_table IN SELECT * FROM pg_class WHERE oid = ANY (p_tables) LOOP
    IF v_table.relowner <> v_owner THEN
      RETURN QUERY
      SELECT v_table.oid::regclass, format('owner %I', pg_get_userbyid(v_table.relowner));
    END IF;
    IF v_table.relkind <> 'r' THEN
      RETURN QUERY SELECT v_table.oid::regclass, CASE v_table.relkind
        WHEN 'v' THEN 'it is a view'
        WHEN 'm' THEN 'it is a materialized view'
        WHEN 'f' THEN 'it is a foreign table'
        WHEN 'p' THEN 'it is partitioned'
        ELSE 'it is not a table'
      END;
    END IF;
    IF v_table.relrowsecurity THEN
      RETURN QUERY SELECT v_table.oid::regclass, 'row security';
    END IF;
    IF v_table.relhasrules AND v_table.relkind = 'r' THEN
      RETURN QUERY
      SELECT ev_class::regclass, format('rule %I', rulename)
      FROM pg_rewrite WHERE ev_class = v_table.oid;
    END IF;
    IF v_table.relhastriggers THEN
      -- Ours, and those that a client which is our owner adds, are known by the function they call.
      RETURN QUERY
      SELECT tgrelid::regclass, format('trigger %I', tgname)
      FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
      WHERE tgrelid = v_table.oid AND NOT tgisinternal
        AND (proowner <> v_owner OR pronamespace NOT IN (v_schema, v_table.relnamespace))
      UNION
      SELECT tgrelid::regclass, format('foreign key %I', conname)
      FROM pg_trigger JOIN pg_constraint ON pg_constraint.oid = tgconstraint
      WHERE tgrelid = v_table.oid AND contype = 'f';
    END IF;
  END LOOP;

  RETURN QUERY
  SELECT polrelid::regclass, format('policy %I', polname)
  FROM pg_policy WHERE polrelid = ANY (p_tables)
  UNION ALL
  SELECT inhrelid::regclass, format('parent %s', inhparent::regclass)
  FROM pg_inherits WHERE inhrelid = ANY (p_tables)
  UNION ALL
  SELECT inhparent::regclass, format('child %s', inhrelid::regclass)
  FROM pg_inherits WHERE inhparent = ANY (p_tables)
  UNION ALL
  -- What a type, default, generated column, constraint, index, statistics or trigger uses, unless
  -- it is of our owner, a superuser, or PostgreSQL itself, which is not recorded. OFFSET 0 has it
  -- looked up by key; PostgreSQL would rather read all of pg_depend.
  SELECT own.relation::regclass,
         pg_describe_object(own.classid, own.objid, used.objsubid) || ' by '
           || pg_describe_object(used.refclassid, used.refobjid, 0)
  FROM (
    SELECT oid, 'pg_class'::regclass::oid, oid FROM unnest(p_tables) AS oid
    UNION ALL
    SELECT indrelid, 'pg_class'::regclass::oid, indexrelid
    FROM pg_index WHERE indrelid = ANY (p_tables)
    UNION ALL
    SELECT adrelid, 'pg_attrdef'::regclass::oid, oid FROM pg_attrdef WHERE adrelid = ANY (p_tables)
    UNION ALL
    SELECT conrelid, 'pg_constraint'::regclass::oid, oid
    FROM pg_constraint WHERE conrelid = ANY (p_tables)
    UNION ALL
    SELECT tgrelid, 'pg_trigger'::regclass::oid, oid
    FROM pg_trigger WHERE tgrelid = ANY (p_tables) AND tgqual IS NOT NULL
    UNION ALL
    -- ANALYZE computes them, as the owner of the table.
    SELECT stxrelid, 'pg_statistic_ext'::regclass::oid, oid
    FROM pg_statistic_ext WHERE stxrelid = ANY (p_tables)
  ) AS own (relation, classid, objid)
  CROSS JOIN LATERAL (
    SELECT refclassid, refobjid, objsubid,
           CASE refclassid
             WHEN 'pg_proc'::regclass THEN (SELECT proowner FROM pg_proc WHERE oid = refobjid)
             WHEN 'pg_type'::regclass THEN (SELECT typowner FROM pg_type WHERE oid = refobjid)
             WHEN 'pg_operator'::regclass THEN
               (SELECT oprowner FROM pg_operator WHERE oid = refobjid)
             WHEN 'pg_opclass'::regclass THEN
               (SELECT opcowner FROM pg_opclass WHERE oid = refobjid)
             WHEN 'pg_class'::regclass THEN
               (SELECT relowner FROM pg_class WHERE oid = refobjid AND oid <> own.relation)
           END AS owner
    FROM pg_depend
    WHERE classid = own.classid AND objid = own.objid
    OFFSET 0
  ) AS used
  WHERE used.owner <> v_owner
    AND (SELECT rolsuper FROM pg_roles WHERE oid = used.owner) IS NOT TRUE;

  -- Some functions of PostgreSQL and of extensions run SQL that they are given, as query_to_xml
  -- does. None that is immutable does; these are nextval, now and the cast to timestamp.
  RETURN QUERY
  SELECT found.relation::regclass,
         pg_describe_object(found.classid, found.objid, 0) || ' by '
           || pg_proc.oid::regprocedure
  FROM (
    SELECT adrelid, 'pg_attrdef'::regclass::oid, oid, adbin::text
    FROM pg_attrdef WHERE adrelid = ANY (p_tables)
    UNION ALL
    SELECT conrelid, 'pg_constraint'::regclass::oid, oid, conbin::text
    FROM pg_constraint WHERE conrelid = ANY (p_tables) AND contype = 'c'
    UNION ALL
    SELECT tgrelid, 'pg_trigger'::regclass::oid, oid, tgqual::text
    FROM pg_trigger WHERE tgrelid = ANY (p_tables) AND tgqual IS NOT NULL
    UNION ALL
    SELECT stxrelid, 'pg_statistic_ext'::regclass::oid, oid, stxexprs::text
    FROM pg_statistic_ext WHERE stxrelid = ANY (p_tables) AND stxexprs IS NOT NULL
  ) AS found (relation, classid, objid, tree)
  CROSS JOIN LATERAL regexp_matches(
    CASE WHEN strpos(
      replace(replace(replace(tree,
        ':funcid 1574 ', ''), ':funcid 1299 ', ''), ':funcid 2027 ', ''), ':funcid ') > 0
    THEN tree END, ':funcid ([0-9]+)', 'g') AS called (id)
  JOIN pg_proc ON pg_proc.oid = called.id[1]::oid
  WHERE provolatile <> 'i' AND proowner <> v_owner AND pg_proc.oid NOT IN (1574, 1299, 2027);
END
$$;
COMMENT ON FUNCTION {{schema}}.foreign_parts IS
  'What about these tables is not of our making, a row each, for people to read: another owner, '
  'trigger, rule, policy, parent, child, foreign key, and what belongs to others in a type, '
  'default, generated column, constraint, index or statistics. Hold the tables (hold_own_tables) '
  'where the answer must stay true.';
REVOKE ALL ON FUNCTION {{schema}}.foreign_parts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.foreign_parts TO {{cron_role}}, {{client_role}};
--! end
--! routine lock_own
CREATE OR REPLACE FUNCTION {{schema}}.lock_own(p_to text, VARIADIC p_tables text[])
RETURNS oid[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_table text;
  v_oid oid;
  v_locked oid[] := '{}';
BEGIN
  FOREACH v_table IN ARRAY p_tables LOOP
    -- Without these privileges, and on what is not a table, it cannot be locked; then there is
    -- something foreign about it, or the caller fails for want of the same privilege.
    IF p_to <> 'look' AND EXISTS (
      SELECT FROM pg_class
      WHERE oid = to_regclass(v_table) AND relkind = 'r'
        AND has_table_privilege(oid, CASE p_to WHEN 'read' THEN 'SELECT' ELSE 'UPDATE' END))
    THEN
      EXECUTE format(
        CASE p_to
          WHEN 'read' THEN 'LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE'
          -- Keeps new triggers away, too.
          WHEN 'write' THEN 'LOCK TABLE ONLY %I.%I IN ROW EXCLUSIVE MODE'
          WHEN 'alter' THEN 'LOCK TABLE ONLY %I.%I IN SHARE ROW EXCLUSIVE MODE'
          WHEN 'rewrite' THEN 'LOCK TABLE ONLY %I.%I IN ACCESS EXCLUSIVE MODE'
        END, VARIADIC parse_ident(v_table));
    END IF;
    -- Looked up again: from here on the name stays with this table.
    v_oid := to_regclass(v_table);
    IF v_oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class WHERE oid = v_oid) THEN
      -- A transaction that reads as of its beginning would use it without having looked at it.
      RAISE EXCEPTION 'table % was made after this transaction began', v_table
        USING ERRCODE = 'serialization_failure';
    END IF;
    v_locked := v_locked || v_oid;
  END LOOP;
  RETURN v_locked;
END
$$;
COMMENT ON FUNCTION {{schema}}.lock_own IS
  'Locks tables of the clients'' schema until the end of the transaction, as p_to needs it: read, '
  'write, alter (its triggers), rewrite; look takes no lock. Returns their oids, for require_own, '
  'before which nothing may touch them. Each is a quoted name with its schema; one that does not '
  'exist is left to the caller. Raises 40001 for a table that the transaction''s snapshot lacks.';
REVOKE ALL ON FUNCTION {{schema}}.lock_own FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.lock_own TO {{cron_role}}, {{client_role}};
--! end

--! routine require_own
-- Whoever may CREATE in the clients' schema can give something the name of one of our tables, at
-- any time at which there is none. Code that hangs on it would run as whoever comes by.
CREATE OR REPLACE FUNCTION {{schema}}.require_own(p_tables oid[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_foreign record;
BEGIN
  FOR v_foreign IN
    SELECT relation, string_agg(part, ', ') AS parts
    FROM {{schema}}.foreign_parts(p_tables)
    GROUP BY relation ORDER BY relation
  LOOP
    RAISE EXCEPTION 'table % is not used, because it is not as role % made it: %; drop %',
      v_foreign.relation,
      (SELECT relowner::regrole FROM pg_class
       WHERE relnamespace = quote_ident({{schema:literal}})::regnamespace
         AND relname = 'deployment'),
      v_foreign.parts,
      CASE
        WHEN starts_with(
          (SELECT relname FROM pg_class WHERE oid = v_foreign.relation),
          {{table_prefix:literal}} || '_cache_')
        THEN 'that, or the table; the processor makes its own'
        ELSE 'that, or the table and create it again as that role'
      END
      USING ERRCODE = 'wrong_object_type',
            HINT = 'It would run with the rights of whoever uses the table. '
                   'pcache-migrate doctor lists all such tables.';
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_own IS
  'Raises 42809 when foreign_parts finds something about these tables. lock_own keeps it so.';
REVOKE ALL ON FUNCTION {{schema}}.require_own FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_own TO {{cron_role}}, {{client_role}};
--! end

--! routine hold_own_tables
CREATE OR REPLACE FUNCTION {{schema}}.hold_own_tables(p_to text, VARIADIC p_tables text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.require_own({{schema}}.lock_own(p_to, VARIADIC p_tables));
END
$$;
COMMENT ON FUNCTION {{schema}}.hold_own_tables IS
  'Locks tables of the clients'' schema until the end of the transaction, as p_to needs it: read, '
  'write, alter (its triggers), rewrite; look takes no lock. So each stays as it is. Each is a '
  'quoted name with its schema; one that does not exist is left to the caller. Raises 42809 when '
  'foreign_parts finds something, 40001 for a table that the transaction''s snapshot lacks.';
REVOKE ALL ON FUNCTION {{schema}}.hold_own_tables FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.hold_own_tables TO {{cron_role}}, {{client_role}};
--! end
