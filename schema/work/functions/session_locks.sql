CREATE FUNCTION partitioncache.session_locks() RETURNS text[]
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT coalesce(array_agg(format('%s %s %s %s', classid, objid, objsubid, mode)), '{}')
  FROM pg_locks
  WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid <> "partitioncache".running_class()::oid
$$;

COMMENT ON FUNCTION partitioncache.session_locks() IS 'The advisory locks of this session, except those that say what is being evaluated, as "class object kind mode", with the values that pg_locks shows.';

REVOKE ALL ON FUNCTION partitioncache.session_locks() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.session_locks() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.session_locks() TO client_role;
