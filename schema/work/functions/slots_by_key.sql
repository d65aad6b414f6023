CREATE FUNCTION partitioncache.slots_by_key(p_but_lock_key integer) RETURNS TABLE(partition_key text, slots integer)
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  -- Where maintenance has cut a batch down to one fragment, that one's key counts.
  SELECT coalesce(batch.partition_key, queue.partition_key), count(*)::integer
  FROM "partitioncache".batch
  LEFT JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue
    ON batch.partition_key IS NULL AND cardinality(batch.queue_ids) = 1
      AND queue.id = batch.queue_ids[1]
  WHERE batch.lock_key <> p_but_lock_key
    AND coalesce(batch.partition_key, queue.partition_key) IS NOT NULL
  GROUP BY 1
$$;

COMMENT ON FUNCTION partitioncache.slots_by_key(p_but_lock_key integer) IS 'How many slots, without p_but_lock_key, have a batch of this partition key alone.';

REVOKE ALL ON FUNCTION partitioncache.slots_by_key(p_but_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.slots_by_key(p_but_lock_key integer) TO cron_role;
