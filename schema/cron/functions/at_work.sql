CREATE FUNCTION partitioncache_work_database.at_work() RETURNS TABLE(database text, key oid, is_own boolean)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  WITH own AS (
    SELECT 'work_database' AS database,
           -- pg_locks shows the keys as unsigned.
           (hashtext(encode(convert_to('partitioncache', 'UTF8'), 'hex'))::bigint
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

COMMENT ON FUNCTION partitioncache_work_database.at_work() IS 'The deployments of this server that have work at hand at this moment, and which is this one.';

REVOKE ALL ON FUNCTION partitioncache_work_database.at_work() FROM PUBLIC;
