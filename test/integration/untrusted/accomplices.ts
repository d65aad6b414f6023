/**
 * What an attacker may have prepared in the database, run as a superuser: the fragments' accomplices and their
 * targets. Everyone may use all of it, so that no missing privilege stops an attack by accident.
 */
export const accomplices = `
CREATE SCHEMA attack;
GRANT USAGE, CREATE ON SCHEMA attack TO PUBLIC;

CREATE TABLE attack.witness (note text);
INSERT INTO attack.witness VALUES ('untouched');
CREATE TABLE attack.numbers AS SELECT generate_series(1, 2);
CREATE SEQUENCE attack.counter;
GRANT ALL ON attack.witness, attack.numbers, attack.counter TO PUBLIC;
SELECT lo_create(1);
GRANT ALL ON LARGE OBJECT 1 TO PUBLIC;

CREATE FUNCTION attack.run(statement text) RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE statement; RETURN 1; END $$;

CREATE FUNCTION attack.run_as_superuser(statement text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN EXECUTE statement; RETURN 1; END $$;

CREATE FUNCTION attack.run_and_hush(statement text) RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN EXECUTE statement; RETURN 1; EXCEPTION WHEN OTHERS THEN RETURN 2; END $$;

CREATE FUNCTION attack.write_when_planned() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN attack.run('INSERT INTO attack.witness VALUES (1)'); END $$;

CREATE FUNCTION attack.lock_when_planned() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN PERFORM pg_advisory_lock(4711); RETURN 1; END $$;

CREATE FUNCTION attack.raise(code text, message text DEFAULT 'on purpose') RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION '%', message USING ERRCODE = code; END $$;

CREATE FUNCTION attack.recurse() RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN RETURN attack.recurse(); END $$;

CREATE FUNCTION attack.assert() RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN ASSERT false, 'on purpose'; RETURN 1; END $$;

CREATE FUNCTION attack.flood(level text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..100000 LOOP
    CASE level
      WHEN 'notice' THEN RAISE NOTICE 'flood %', i;
      WHEN 'warning' THEN RAISE WARNING 'flood %', i;
      WHEN 'info' THEN RAISE INFO 'flood %', i;
    END CASE;
  END LOOP;
  RETURN 1;
END $$;

CREATE FUNCTION attack.leave_cursor_open() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  left_open refcursor := 'left open';
BEGIN
  OPEN left_open FOR SELECT id FROM pois;
  RETURN 1;
END $$;

CREATE FUNCTION attack.close_all_cursors() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  victim refcursor;
BEGIN
  FOR victim IN SELECT name FROM pg_cursors LOOP
    CLOSE victim;
  END LOOP;
  RETURN 1;
END $$;

-- The migrator: cron role and client are made members of it, so that they may become it.
CREATE FUNCTION attack.owner() RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database() $$;

CREATE FUNCTION attack.nothing() RETURNS void LANGUAGE sql AS '';

CREATE PROCEDURE attack.commit() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CREATE PROCEDURE attack.roll_back() LANGUAGE plpgsql AS $$ BEGIN ROLLBACK; END $$;

-- Lets the test look at the server while the fragment is still at work: it holds the lock until it has seen enough.
CREATE FUNCTION attack.wait_for_test() RETURNS integer LANGUAGE plpgsql AS
  $$ BEGIN PERFORM pg_advisory_xact_lock_shared(815, 1); RETURN 1; END $$;

-- Everything by which a session can differ from a fresh one, a line each.
CREATE VIEW attack.session_state (line) AS
  SELECT format('user %s, logged in as %s, role %s', current_user, session_user, current_setting('role'))
  UNION ALL
  SELECT format('setting %s = %s', name, setting) FROM pg_settings
  UNION ALL
  SELECT format('setting attack.mark = %s', current_setting('attack.mark', true))
  UNION ALL
  SELECT format('%s cursors', count(*)) FROM pg_cursors
  UNION ALL
  SELECT format('prepared statement %s', name) FROM pg_prepared_statements
  UNION ALL
  SELECT format('listens to %s', channel) FROM pg_listening_channels() AS channel
  UNION ALL
  SELECT format('temporary %s', relname) FROM pg_class WHERE relnamespace = pg_my_temp_schema()
  UNION ALL
  -- Which slot is ours matters; how the processor says what it works on does not.
  SELECT format('advisory lock %s %s %s', classid, objid, mode)
  FROM pg_locks
  WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    AND classid NOT IN (SELECT oid FROM pg_class WHERE relnamespace = 'partitioncache'::regnamespace);
GRANT SELECT ON attack.session_state TO PUBLIC;

-- Everything that a fragment could have changed for good, a line each, without the results of p_hashes.
CREATE FUNCTION attack.world(p_hashes text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  v_table regclass;
BEGIN
  FOR v_table IN
    SELECT oid FROM pg_class
    -- active_jobs shows what is being worked on: it is for display, and may lag behind.
    WHERE relkind = 'r' AND relname <> 'partitioncache_queue_active_jobs' AND (relnamespace IN ('public'::regnamespace, 'attack'::regnamespace)
                             OR oid IN ('partitioncache.deployment'::regclass, 'partitioncache.settings'::regclass))
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT format(''rows of %%s: %%s'', %1$L, md5(string_agg(row::text, chr(10) ORDER BY row::text))) '
      'FROM (SELECT to_jsonb(t) - ''updated_at'' AS row FROM %1$s AS t) AS t '
      'WHERE NOT coalesce(row ->> ''query_hash'' = ANY ($1), false)', v_table) USING p_hashes;
  END LOOP;
  RETURN QUERY
    SELECT format('counter %s %s', last_value, is_called) FROM attack.counter
    UNION ALL
    SELECT format('large object %s: %s', oid, encode(lo_get(oid), 'hex')) FROM pg_largeobject_metadata
    UNION ALL
    SELECT format('relation %s: %s', oid::regclass, md5(pg_class::text))
    FROM (SELECT oid, relname, relnamespace, relkind, relowner, relacl, relfilenode, reloptions FROM pg_class
          WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)')) AS pg_class
    UNION ALL
    SELECT format('function %s: %s', oid::regprocedure, md5(pg_proc::text)) FROM pg_proc
    UNION ALL
    SELECT format('schema %s', pg_namespace::text) FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT format('trigger %s on %s', tgname, tgrelid) FROM pg_trigger
    UNION ALL
    SELECT format('setting of role or database: %s', pg_db_role_setting::text) FROM pg_db_role_setting
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION ALL
    SELECT format('role %s', rolname) FROM pg_roles WHERE rolname LIKE 'attack%'
    UNION ALL
    SELECT format('prepared transaction %s', gid) FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL
    SELECT format('replication slot %s', slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'attack%';
END $$;
`;
