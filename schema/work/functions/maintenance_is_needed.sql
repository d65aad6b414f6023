CREATE FUNCTION partitioncache.maintenance_is_needed(p_after_id integer) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- In the middle of the queue.
  IF p_after_id <> 0 OR "partitioncache".has_runs() THEN
    RETURN true;
  END IF;
  PERFORM "partitioncache".hold_own_tables(
    'read', '"public"."partitioncache_queue_processor_config"', '"public"."partitioncache_queue_processor_log"');
  RETURN "partitioncache".watches_always()
    OR EXISTS (SELECT FROM "public"."partitioncache_queue_processor_log" WHERE created_at < "partitioncache".log_cutoff());
END
$$;

COMMENT ON FUNCTION partitioncache.maintenance_is_needed(p_after_id integer) IS 'Whether maintenance has something to watch or to clean up, or has to be there beforehand. p_after_id: where it is in the queue, 0 at the end.';

REVOKE ALL ON FUNCTION partitioncache.maintenance_is_needed(p_after_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.maintenance_is_needed(p_after_id integer) TO cron_role;
