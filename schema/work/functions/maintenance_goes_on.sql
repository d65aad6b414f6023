CREATE FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT clock_timestamp() < p_started + ("partitioncache".clocks()).maintenance
    AND EXISTS (SELECT FROM "public"."partitioncache_queue_processor_config")
$$;

COMMENT ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) IS 'Whether a maintenance run that started at p_started should look once more.';

REVOKE ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_goes_on(p_started timestamp with time zone) TO cron_role;
