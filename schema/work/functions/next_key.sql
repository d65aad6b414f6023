CREATE FUNCTION partitioncache.next_key(p_priority integer, p_above text, p_below text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    SET jit TO 'off'
    AS $$
DECLARE
  v_key text;
BEGIN
  -- With a bound that may be NULL in the same query, the index would be read to its end.
  IF p_below IS NULL THEN
    SELECT queue.partition_key INTO v_key
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
    WHERE queue.priority = p_priority AND queue.partition_key > p_above
      AND queue.id NOT IN (
        SELECT unnest(queue_ids) FROM "partitioncache".batch WHERE partition_key IS NULL)
    ORDER BY queue.partition_key, queue.id
    LIMIT 1;
  ELSE
    SELECT queue.partition_key INTO v_key
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
    WHERE queue.priority = p_priority
      AND queue.partition_key > p_above AND queue.partition_key < p_below
      AND queue.id NOT IN (
        SELECT unnest(queue_ids) FROM "partitioncache".batch WHERE partition_key IS NULL)
    ORDER BY queue.partition_key, queue.id
    LIMIT 1;
  END IF;
  RETURN v_key;
END
$$;

COMMENT ON FUNCTION partitioncache.next_key(p_priority integer, p_above text, p_below text) IS 'The partition key that comes next after p_above, in the order of their names, and before p_below (NULL: no bound), with fragments of this priority that are in no batch of several keys. NULL when there is none.';

REVOKE ALL ON FUNCTION partitioncache.next_key(p_priority integer, p_above text, p_below text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.next_key(p_priority integer, p_above text, p_below text) TO cron_role;
