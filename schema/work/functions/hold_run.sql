CREATE FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- A run takes this lock before it leaves what it has evaluated, so what we find below stays true
  -- while we hold it.
  PERFORM FROM "partitioncache".slot WHERE lock_key = p_lock_key FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  RETURN EXISTS (
    SELECT FROM "partitioncache".working_runs() AS running
    WHERE running.pid = p_pid AND running.started_at = p_started
      AND running.has_results = p_has_results);
END
$$;

COMMENT ON FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) IS 'Whether the run is still evaluating as working_runs() showed it. If so, that stays true until the caller''s transaction ends.';

REVOKE ALL ON FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.hold_run(p_lock_key integer, p_pid integer, p_started timestamp with time zone, p_has_results boolean) TO cron_role;
