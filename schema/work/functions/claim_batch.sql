CREATE FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) RETURNS partitioncache.batch
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_after_id integer := p_after_id;
  v_locked integer[];
  v_free integer[];
BEGIN
  LOOP
    v_locked := "partitioncache".lock_claimable(p_after_priority, v_after_id, p_limit);
    -- Another run may have claimed some of them after we read the batches and before we had the
    -- locks. Now that they are locked, it cannot.
    SELECT array_agg(id ORDER BY place) INTO v_free
    FROM unnest(v_locked) WITH ORDINALITY AS locked (id, place)
    WHERE id NOT IN (SELECT unnest(queue_ids) FROM "partitioncache".batch);
    IF v_free IS NOT NULL THEN
      RETURN "partitioncache".insert_batch(p_lock_key, v_free, false);
    END IF;
    CONTINUE WHEN cardinality(v_locked) > 0;
    -- Nothing is left after this place, but something may have been put back before it.
    EXIT WHEN v_after_id IS NULL;
    v_after_id := NULL;
  END LOOP;
  RETURN NULL;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) IS 'Claims up to p_limit fragments for the run that holds p_lock_key: those due next after (p_after_priority, p_after_id), as lock_claimable finds them, or from the head of the queue when there are none. Returns NULL when there are none at all.';

REVOKE ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_batch(p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer) TO client_role;
