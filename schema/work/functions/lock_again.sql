CREATE FUNCTION partitioncache.lock_again(p_lock text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_class bigint := split_part(p_lock, ' ', 1);
  v_object bigint := split_part(p_lock, ' ', 2);
BEGIN
  RETURN CASE split_part(p_lock, ' ', 3) || split_part(p_lock, ' ', 4)
    WHEN '1ExclusiveLock' THEN pg_try_advisory_lock((v_class << 32) | v_object)
    WHEN '1ShareLock' THEN pg_try_advisory_lock_shared((v_class << 32) | v_object)
    WHEN '2ExclusiveLock' THEN
      pg_try_advisory_lock(v_class::oid::integer, v_object::oid::integer)
    WHEN '2ShareLock' THEN
      pg_try_advisory_lock_shared(v_class::oid::integer, v_object::oid::integer)
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.lock_again(p_lock text) IS 'Takes one of session_locks() for the session. Returns false when somebody else has taken it in the meantime.';

REVOKE ALL ON FUNCTION partitioncache.lock_again(p_lock text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.lock_again(p_lock text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.lock_again(p_lock text) TO client_role;
