CREATE FUNCTION partitioncache.watches_always() RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- Two minutes are what the watchdog may need to come, at worst: with pg_cron 1.4 a minute until
  -- dispatch looks, and another one until the job starts.
  RETURN EXISTS (
    SELECT FROM "public"."partitioncache_queue_processor_config" WHERE enabled AND timeout_seconds < 120);
END
$$;

COMMENT ON FUNCTION partitioncache.watches_always() IS 'Whether maintenance has to be there before there is work: it could not come in time to keep the shortest timeout.';

REVOKE ALL ON FUNCTION partitioncache.watches_always() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.watches_always() TO cron_role;
