CREATE FUNCTION partitioncache.has_runs() RETURNS boolean
    LANGUAGE sql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT EXISTS (SELECT FROM "partitioncache".batch) OR EXISTS (SELECT FROM "public"."partitioncache_queue_active_jobs")
$$;

COMMENT ON FUNCTION partitioncache.has_runs() IS 'Whether there is anything to watch: claims, or work that is displayed.';

REVOKE ALL ON FUNCTION partitioncache.has_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.has_runs() TO cron_role;
