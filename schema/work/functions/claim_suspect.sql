CREATE FUNCTION partitioncache.claim_suspect(p_lock_key integer) RETURNS partitioncache.batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_queue_id integer;
BEGIN
  -- The least tried one comes first, so that the culprit is found and no other fragment is blamed
  -- twice.
  SELECT queue.id INTO v_queue_id
  FROM "partitioncache".attempt
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue
    ON queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key
  WHERE attempt.suspect AND attempt.not_before <= now()
    AND NOT EXISTS (SELECT FROM "partitioncache".batch WHERE alone)
  ORDER BY attempt.attempts, queue.id
  LIMIT 1
  FOR UPDATE OF queue SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  RETURN "partitioncache".insert_batch(p_lock_key, ARRAY[v_queue_id], true);
END
$$;

COMMENT ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) IS 'Claims one fragment with which a run died. Returns NULL when there is none, or while another run is trying one.';

REVOKE ALL ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_suspect(p_lock_key integer) TO cron_role;
