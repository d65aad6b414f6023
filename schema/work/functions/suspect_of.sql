CREATE FUNCTION partitioncache.suspect_of(p_batches bigint[]) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT CASE
    -- A crash takes all runs along. The one that tried a suspect is to blame; without one, a fragment is only if
    -- there is no other it could have been.
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
GRANT ALL ON FUNCTION partitioncache.suspect_of(p_batches bigint[]) TO client_role;
