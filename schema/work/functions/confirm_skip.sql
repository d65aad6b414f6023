CREATE FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
BEGIN
  -- From here on a client that queues it is told that another session holds it; one that did so before may have evicted
  -- it first, and has been told that it is queued.
  PERFORM FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = (p_result.item).queue_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND OR NOT "partitioncache".is_cached((p_result.item).query_hash, (p_result.item).partition_key) THEN
    v_result.outcome := 'put_back';
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) IS 'A skipped result as it is if its fragment is still cached, else as put_back, without a wait.';

REVOKE ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) TO client_role;
