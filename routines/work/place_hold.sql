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
