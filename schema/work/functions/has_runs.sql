CREATE FUNCTION partitioncache.has_runs() RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  IF EXISTS (SELECT FROM "partitioncache".batch) THEN
    RETURN true;
  END IF;
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_active_jobs"');
  RETURN EXISTS (SELECT FROM "public"."partitioncache_queue_active_jobs");
END
$$;

COMMENT ON FUNCTION partitioncache.has_runs() IS 'Whether there is anything to watch: claims, or work that is displayed.';

REVOKE ALL ON FUNCTION partitioncache.has_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.has_runs() TO cron_role;
