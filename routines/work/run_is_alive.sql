CREATE OR REPLACE FUNCTION {{schema}}.run_is_alive(
  p_pid integer, p_lock_key integer
) RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The pid alone may belong to another backend by now; the slot's lock ends with its session.
  SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = p_pid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = quote_ident({{schema:literal}})::regnamespace::oid
      AND objid = p_lock_key::oid)
$$;
COMMENT ON FUNCTION {{schema}}.run_is_alive IS
  'Whether the backend p_pid still holds the lock of the slot with this lock_key.';
REVOKE ALL ON FUNCTION {{schema}}.run_is_alive FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.run_is_alive TO {{cron_role}};
