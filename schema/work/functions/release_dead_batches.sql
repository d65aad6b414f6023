CREATE FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer DEFAULT NULL::integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_batches bigint[] := "partitioncache".dead_batches(p_own_lock_key);
  v_blamed integer;
  v_dead record;
  v_result "partitioncache".item_result;
  v_run "partitioncache".run_context;
BEGIN
  IF v_batches IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_active_jobs"');
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_query_fragment_queue"');
  v_blamed := "partitioncache".suspect_of(v_batches);

  INSERT INTO "partitioncache".attempt
    (query_hash, partition_key, attempts, not_before, last_error, suspect)
  SELECT DISTINCT queue.hash, queue.partition_key, 0, clock_timestamp(), 'its run died', true
  FROM "partitioncache".batch
  CROSS JOIN unnest(queue_ids) AS queue_id
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = queue_id
  WHERE batch_id = ANY (v_batches)
  ON CONFLICT (query_hash, partition_key) DO UPDATE SET suspect = true;

  SELECT batch.pid, batch.lock_key, batch.claimed_at, slot.job_name,
         queue.id, queue.hash, queue.partition_key, queue.query
  INTO v_dead
  FROM "partitioncache".batch
  JOIN "partitioncache".slot USING (lock_key)
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = ANY (batch.queue_ids)
  WHERE batch.batch_id = ANY (v_batches) AND queue.id = v_blamed
  LIMIT 1;
  IF FOUND THEN
    v_result.item := ROW(
      v_dead.id, v_dead.hash, v_dead.partition_key, NULL, v_dead.query, NULL, false, true);
    v_result.error := format(
      'the backend %s that worked on it since %s is gone', v_dead.pid, v_dead.claimed_at);
    v_result.started_at := v_dead.claimed_at;
    v_result.ended_at := clock_timestamp();
    v_run := ROW(v_dead.job_name, v_dead.lock_key, 'unknown', true, NULL, NULL, NULL, NULL);
    PERFORM "partitioncache".settle_results(
      ARRAY["partitioncache".put_back(v_result, '0 s', 1, v_run)], v_run);
  END IF;

  DELETE FROM "public"."partitioncache_queue_active_jobs" AS active
  USING "partitioncache".batch, "public"."partitioncache_queue_query_fragment_queue" AS queue
  WHERE batch.batch_id = ANY (v_batches) AND queue.id = ANY (batch.queue_ids)
    AND active.query_hash = queue.hash AND active.partition_key = queue.partition_key;
  DELETE FROM "partitioncache".batch WHERE batch_id = ANY (v_batches);
  RETURN cardinality(v_batches);
END
$$;

COMMENT ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) IS 'Gives back the fragments of dead runs as suspects, which are tried alone, and counts an attempt for the one that is to blame. p_own_lock_key: a slot that the caller has just taken. Returns how many batches there were.';

REVOKE ALL ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.release_dead_batches(p_own_lock_key integer) TO cron_role;
