CREATE FUNCTION partitioncache.unlock_once(p_lock text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_class bigint := split_part(p_lock, ' ', 1);
  v_object bigint := split_part(p_lock, ' ', 2);
BEGIN
  -- A lock has one key of 64 bits or two of 32 bits; pg_locks shows them without their signs.
  RETURN CASE split_part(p_lock, ' ', 3) || split_part(p_lock, ' ', 4)
    WHEN '1ExclusiveLock' THEN pg_advisory_unlock((v_class << 32) | v_object)
    WHEN '1ShareLock' THEN pg_advisory_unlock_shared((v_class << 32) | v_object)
    WHEN '2ExclusiveLock' THEN pg_advisory_unlock(v_class::oid::integer, v_object::oid::integer)
    WHEN '2ShareLock' THEN pg_advisory_unlock_shared(v_class::oid::integer, v_object::oid::integer)
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.unlock_once(p_lock text) IS 'Releases one of session_locks() once. Returns false when the session does not hold it.';

REVOKE ALL ON FUNCTION partitioncache.unlock_once(p_lock text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.unlock_once(p_lock text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.unlock_once(p_lock text) TO client_role;
