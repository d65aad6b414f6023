CREATE FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- A fragment may see to it that no other run can start: then this one must still be there.
  IF EXISTS (SELECT FROM "partitioncache".batch) THEN
    IF EXISTS (SELECT FROM "partitioncache".working_runs()) THEN
      RETURN true;
    END IF;
  END IF;
  IF "partitioncache".is_held() THEN
    RETURN false;
  END IF;
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_config"');
  RETURN (
    SELECT clock_timestamp() < p_started + ("partitioncache".clocks()).maintenance
      AND EXISTS (SELECT FROM "public"."partitioncache_queue_processor_config")
  );
END
$$;

COMMENT ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) IS 'Whether a maintenance run that started at p_started should look once more: for a minute, and as long as a fragment is at work.';

REVOKE ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) TO cron_role;
