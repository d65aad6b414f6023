CREATE FUNCTION partitioncache.suspect_of(p_batches bigint[]) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    -- A crash ends all runs. If one of them was trying a suspect, that suspect is to blame.
    -- Otherwise a fragment is to blame only if no other can have caused it.
    WHEN count(*) FILTER (WHERE alone) = 1 THEN max(queue_id) FILTER (WHERE alone)
    WHEN count(DISTINCT queue_id) = 1 THEN max(queue_id)
  END
  FROM "partitioncache".batch
  CROSS JOIN unnest(queue_ids) AS queue_id
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = queue_id
  WHERE batch_id = ANY (p_batches)
$$;

COMMENT ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) IS 'The queue id of the one fragment that can be blamed for the death of these batches; NULL when it could be any of several, or none.';

REVOKE ALL ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) TO cron_role;
