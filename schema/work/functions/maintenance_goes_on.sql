CREATE FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone, p_needed timestamp with time zone) RETURNS boolean
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
    -- Two looks, so that the hourly run of a deployment at rest soon gives its place back.
    SELECT clock_timestamp() < least(
             p_started + maintenance, coalesce(p_needed + idle, p_started + 2 * look))
      AND EXISTS (SELECT FROM "public"."partitioncache_queue_processor_config")
    FROM "partitioncache".clocks()
  );
END
$$;

COMMENT ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone, p_needed timestamp with time zone) IS 'Whether a maintenance run that started at p_started, and was needed last at p_needed (NULL: not yet), should look once more: for a minute at most unless a fragment is at work.';

REVOKE ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone, p_needed timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone, p_needed timestamp with time zone) TO cron_role;
