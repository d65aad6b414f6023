CREATE FUNCTION partitioncache.key_of_all(p_queue_ids integer[]) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE WHEN min(queue.partition_key) = max(queue.partition_key)
              THEN min(queue.partition_key) END
  FROM unnest(p_queue_ids) AS claimed (id)
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = claimed.id
$$;

COMMENT ON FUNCTION partitioncache.key_of_all(p_queue_ids integer[]) IS 'The partition key of these fragments, or NULL when they have several.';

REVOKE ALL ON FUNCTION partitioncache.key_of_all(p_queue_ids integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.key_of_all(p_queue_ids integer[]) TO cron_role;
