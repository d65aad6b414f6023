CREATE FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- The pid alone may belong to another backend by now; the slot's lock ends with its session.
  SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = p_pid AND objsubid = 2
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = quote_ident('partitioncache')::regnamespace::oid
      AND objid = p_lock_key::oid)
$$;

COMMENT ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) IS 'Whether the backend p_pid still holds the lock of the slot with this lock_key.';

REVOKE ALL ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.run_is_alive(p_pid integer, p_lock_key integer) TO cron_role;
