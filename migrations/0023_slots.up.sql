-- A slot is where a run happens. Its session lock keeps out a second run of the same slot.

--! routine name_session
CREATE OR REPLACE FUNCTION {{schema}}.name_session() RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  -- pg_cron names its connections so, but not its background workers; and from another role
  -- PostgreSQL hides what kind of session they are.
  SELECT set_config('application_name', 'pg_cron', false)
  FROM pg_stat_get_activity(pg_backend_pid())
  WHERE backend_type = 'pg_cron'
$$;
COMMENT ON FUNCTION {{schema}}.name_session IS
  'Lets every role see that this session is a run of pg_cron''s, also as a background worker: '
  'other deployments count them, to share the places (share_of_places in the pg_cron database).';
REVOKE ALL ON FUNCTION {{schema}}.name_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.name_session TO {{cron_role}};
--! end

--! routine open_slot
CREATE OR REPLACE FUNCTION {{schema}}.open_slot(p_job_name text, p_slot integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer;
BEGIN
  -- Seen until the slot's own lock is (runs_1), and before it is asked whether processing is held:
  -- up and down, which change what is used below, hold first and then look.
  PERFORM pg_advisory_xact_lock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 3);
  IF {{schema}}.is_held() THEN
    RETURN NULL;
  END IF;
  PERFORM {{schema}}.name_session();
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  PERFORM FROM {{processor_config}} WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found',
            HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  -- Before anything is claimed: no fragment is to blame.
  PERFORM {{schema}}.require_fragment_role();
  INSERT INTO {{schema}}.slot (job_name, slot)
  VALUES (p_job_name, p_slot)
  ON CONFLICT (job_name, slot) DO NOTHING;
  SELECT lock_key INTO STRICT v_lock_key
  FROM {{schema}}.slot
  WHERE job_name = p_job_name AND slot = p_slot;
  IF NOT pg_try_advisory_lock(
    quote_ident({{schema:literal}})::regnamespace::oid::integer, v_lock_key)
  THEN
    RETURN NULL;
  END IF;
  PERFORM {{schema}}.release_dead_batches(v_lock_key);
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_slot IS
  'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it, '
  'or processing is held (is_held). Raises P0002 for an unknown processor, 28000 when fragments '
  'would run as another role than the deployment''s fragment role.';
REVOKE ALL ON FUNCTION {{schema}}.open_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_slot TO {{cron_role}};
--! end

--! routine open_manual_slot
CREATE OR REPLACE FUNCTION {{schema}}.open_manual_slot(p_job_name text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer;
BEGIN
  PERFORM {{schema}}.require_no_hold();
  v_lock_key := {{schema}}.open_slot(p_job_name, 0);
  IF v_lock_key IS NULL THEN
    RAISE EXCEPTION 'another run by hand of processor "%" is under way', p_job_name
      USING ERRCODE = 'lock_not_available', HINT = 'Wait until it has ended.';
  END IF;
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_manual_slot IS
  'Takes slot 0 of a processor for a run by hand. Raises 55P03 while another one is under way, '
  '55000 while processing is held.';
REVOKE ALL ON FUNCTION {{schema}}.open_manual_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_manual_slot TO {{cron_role}};
--! end

--! routine close_slot
CREATE OR REPLACE FUNCTION {{schema}}.close_slot(p_lock_key integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_schema CONSTANT integer := quote_ident({{schema:literal}})::regnamespace::oid::integer;
BEGIN
  DELETE FROM {{schema}}.batch WHERE lock_key = p_lock_key;
  -- Unlock repeatedly, in case a fragment has taken the lock as well; but not until unlocking
  -- fails, since PostgreSQL logs that as a warning.
  WHILE EXISTS (
    SELECT FROM pg_locks
    WHERE pid = pg_backend_pid()
      AND locktype = 'advisory' AND objsubid = 2 AND mode = 'ExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = c_schema::oid AND objid = p_lock_key::oid)
  LOOP
    EXIT WHEN NOT pg_advisory_unlock(c_schema, p_lock_key);
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.close_slot IS
  'Releases what the run has claimed but not settled, and unlocks its slot.';
REVOKE ALL ON FUNCTION {{schema}}.close_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.close_slot TO {{cron_role}};
--! end

--! routine runs_1
CREATE OR REPLACE VIEW {{schema}}.runs_1 AS
  WITH held AS (
    SELECT locks.classid, locks.objid, locks.pid
    FROM pg_catalog.pg_locks AS locks
    WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 2
      AND locks.database = (
        SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
  ),
  run AS (
    SELECT CASE slot.slot WHEN 0 THEN 'by hand' ELSE 'processor' END AS kind,
           slot.job_name AS processor, slot.slot, held.pid
    FROM {{schema}}.slot
    JOIN held ON held.objid = slot.lock_key::oid
    WHERE held.classid = pg_catalog.quote_ident({{schema:literal}})::regnamespace
    UNION
    -- Named here, too: else PostgreSQL prints other names each time that it reads what it printed.
    SELECT CASE held.objid
             WHEN 1 THEN 'maintenance' WHEN 2 THEN 'by hand' ELSE 'processor' END AS kind,
           NULL AS processor, NULL AS slot, held.pid
    FROM held
    WHERE held.classid = (pg_catalog.quote_ident({{schema:literal}}) || '.hold')::regclass
      AND held.objid IN (1, 2, 3)
  )
  SELECT run.kind, run.processor, run.slot, run.pid, activity.usename AS role
  FROM run
  JOIN pg_catalog.pg_stat_activity AS activity USING (pid)
  -- Anybody can take an advisory lock, and would be waited for in vain.
  WHERE (run.kind = 'by hand' AND run.slot IS NULL)
    OR activity.usename = (SELECT cron_role FROM {{schema}}.deployment)
    OR pg_catalog.pg_has_role(
      activity.usesysid,
      (SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = {{schema:literal}}), 'MEMBER');
COMMENT ON VIEW {{schema}}.runs_1 IS
  'The runs that are at work at this moment: kind is processor, maintenance or by hand. processor, '
  'slot: NULL for maintenance, for a run that is just beginning, and for a run by hand within '
  'somebody''s transaction. Contract 1: these columns stay, for other versions of pcache-migrate.';
GRANT SELECT ON {{schema}}.runs_1 TO {{cron_role}};
--! end
