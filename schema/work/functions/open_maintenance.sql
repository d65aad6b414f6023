CREATE FUNCTION partitioncache.open_maintenance() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- Shared, since two runs may overlap. First the lock, then the question, as in open_slot. Only
  -- tried: a fragment that has it to itself must not keep this run from ending it, and shows the
  -- same (runs_1).
  PERFORM pg_try_advisory_lock_shared(
    (quote_ident('partitioncache') || '.hold')::regclass::oid::integer, 1);
  PERFORM "partitioncache".name_session();
  -- During a pause, somebody has to keep the timeouts of what is still at work.
  RETURN NOT EXISTS (SELECT FROM "partitioncache".holds_1 WHERE pid IS NOT NULL);
EXCEPTION
  WHEN out_of_memory THEN
    -- A fragment has taken every lock of the server: to end it is what this run is for.
    RETURN true;
END
$$;

COMMENT ON FUNCTION partitioncache.open_maintenance() IS 'Shows a run of maintenance (runs_1) until close_maintenance, or the end of the session. Returns false while up or down is at work, and maintenance has to leave.';

REVOKE ALL ON FUNCTION partitioncache.open_maintenance() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_maintenance() TO cron_role;
