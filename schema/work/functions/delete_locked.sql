CREATE FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
BEGIN
  DELETE FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
  USING unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
    AND queue.id = (result.item).queue_id AND queue.hash = (result.item).query_hash
    AND queue.partition_key = (result.item).partition_key;
EXCEPTION
  WHEN lock_not_available OR deadlock_detected THEN
    -- A client is holding one of them for long. What stays queued is known to be settled, and is
    -- skipped when its turn comes.
    RETURN;
END
$$;

COMMENT ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) IS 'Deletes the queue rows of settled fragments that another session had locked a moment ago, such as a run that was claiming.';

REVOKE ALL ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.delete_locked(p_results partitioncache.item_result[]) TO client_role;
