CREATE FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) RETURNS partitioncache.batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_queue_ids integer[] :=
    "partitioncache".lock_unclaimed(p_after_priority, p_after_id, p_limit, '{}');
BEGIN
  IF v_queue_ids IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN "partitioncache".insert_batch(p_lock_key, v_queue_ids, false);
END
$$;

COMMENT ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) IS 'Claims up to p_limit fragments for the run that holds p_lock_key: those due next after (p_after_priority, p_after_id), or from the head of the queue when there are none. Returns NULL when there are none at all.';

REVOKE ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) TO cron_role;
