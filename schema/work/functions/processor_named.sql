CREATE FUNCTION partitioncache.processor_named(p_job_name text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_config"');
  RETURN (
    SELECT job_name
    FROM "public"."partitioncache_queue_processor_config"
    WHERE p_job_name IS NULL OR job_name = p_job_name
    ORDER BY job_name
    LIMIT 1
  );
END
$$;

COMMENT ON FUNCTION partitioncache.processor_named(p_job_name text) IS 'The processor of this name, or the first one by name for NULL; NULL when there is none.';

REVOKE ALL ON FUNCTION partitioncache.processor_named(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.processor_named(p_job_name text) TO client_role;
GRANT ALL ON FUNCTION partitioncache.processor_named(p_job_name text) TO cron_role;
