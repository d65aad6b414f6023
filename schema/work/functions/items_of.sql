CREATE FUNCTION partitioncache.items_of(p_queue_ids integer[]) RETURNS partitioncache.batch_item[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT array_agg(
    ROW(queue.id, queue.hash, queue.partition_key, queue.partition_datatype, queue.query,
        metadata.datatype,
        known.query_hash IS NOT NULL, held_back.query_hash IS NOT NULL)::"partitioncache".batch_item
    ORDER BY place)
  FROM unnest(p_queue_ids) WITH ORDINALITY AS claimed (id, place)
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = claimed.id
  LEFT JOIN "public"."my_cache_partition_metadata" AS metadata ON metadata.partition_key = queue.partition_key
  LEFT JOIN "public"."my_cache_queries" AS known
    ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key
      AND known.status = 'ok'
  LEFT JOIN "partitioncache".held_back
    ON held_back.query_hash = queue.hash AND held_back.partition_key = queue.partition_key
$$;

COMMENT ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) IS 'What a run has to know about the claimed fragments, in the order given.';

REVOKE ALL ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.items_of(p_queue_ids integer[]) TO client_role;
