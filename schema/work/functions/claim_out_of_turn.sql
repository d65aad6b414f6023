CREATE FUNCTION partitioncache.claim_out_of_turn(p_lock_key integer, p_limit integer, p_last_key text) RETURNS partitioncache.batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_busy text[];
  v_queue_ids integer[];
BEGIN
  -- A client may have made the queue anew, without the index that this needs.
  IF NOT EXISTS (
    SELECT FROM pg_index
    JOIN pg_attribute ON attrelid = indrelid AND attname = 'partition_key' AND attnum = indkey[1]
    WHERE indrelid = to_regclass('"public"."partitioncache_queue_query_fragment_queue"') AND indisvalid AND indnatts = 3)
  THEN
    RETURN NULL;
  END IF;
  -- First the keys of which no other slot has a batch, then those of which one has, and so on. Not
  -- the keys with most: what comes next in the queue may as well be theirs.
  FOR v_busy IN
    SELECT array_agg(key.partition_key) FILTER (WHERE key.slots > fewer.slots)
    FROM "partitioncache".slots_by_key(p_lock_key) AS key,
         (SELECT 0 AS slots UNION SELECT slots FROM "partitioncache".slots_by_key(p_lock_key)) AS fewer
    GROUP BY fewer.slots
    HAVING fewer.slots < max(key.slots)
    ORDER BY fewer.slots
  LOOP
    v_queue_ids := "partitioncache".lock_of_other_keys(v_busy, coalesce(p_last_key, ''), p_limit);
    IF v_queue_ids <> '{}' THEN
      RETURN "partitioncache".insert_batch(p_lock_key, v_queue_ids, false);
    END IF;
  END LOOP;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_out_of_turn(p_lock_key integer, p_limit integer, p_last_key text) IS 'Claims up to p_limit fragments of the partition keys that have fewest slots, so that one with many or slow fragments does not keep the slots from the others. p_last_key: of which this slot had a batch last; the key after it is the next. Returns NULL when no key has fewer slots than another.';

REVOKE ALL ON FUNCTION partitioncache.claim_out_of_turn(p_lock_key integer, p_limit integer, p_last_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_out_of_turn(p_lock_key integer, p_limit integer, p_last_key text) TO cron_role;
