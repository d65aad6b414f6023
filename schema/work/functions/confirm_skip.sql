CREATE FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
BEGIN
  PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_query_fragment_queue"');
  -- From here on, a client that queues it is told that another session holds it. A client that
  -- queued it earlier may have evicted it first, and was told that it is queued.
  PERFORM FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = (p_result.item).queue_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND
     OR NOT "partitioncache".is_cached((p_result.item).query_hash, (p_result.item).partition_key) THEN
    v_result.outcome := 'put_back';
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) IS 'Returns a skipped result unchanged if its fragment is still cached, else as put_back, with no wait before the next claim.';

REVOKE ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.confirm_skip(p_result partitioncache.item_result) TO client_role;
