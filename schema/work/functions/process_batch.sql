CREATE FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_batch CONSTANT integer := 100;
  v_run "partitioncache".run_context;
  v_queue_ids integer[];
  v_left integer[];
  v_goes_on boolean := true;
  v_processed integer := 0;
BEGIN
  PERFORM "partitioncache".require_no_hold();
  -- Shows this run (runs_1) until the caller's transaction ends.
  PERFORM pg_advisory_xact_lock_shared(
    (quote_ident('partitioncache') || '.hold')::regclass::oid::integer, 2);
  PERFORM "partitioncache".require_fragment_role();
  PERFORM "partitioncache".hold_own_tables(
    'read', '"public"."partitioncache_queue_processor_config"', '"public"."partitioncache_queue_query_fragment_queue"', '"public"."my_cache_queries"',
    '"public"."my_cache_partition_metadata"', '"public"."partitioncache_queue_processor_log"');
  PERFORM "partitioncache".hold_own_tables('look', '"public"."partitioncache_queue_active_jobs"');
  v_run := "partitioncache".manual_context(p_job_name);
  -- What was tried without a result a moment ago must not keep the others from their turn.
  v_left := ARRAY(
    SELECT queue.id
    FROM "public"."partitioncache_queue_processor_log" AS log
    JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue
      ON queue.hash = log.query_hash AND queue.partition_key = log.partition_key
    WHERE log.status = 'started'
      AND log.created_at BETWEEN clock_timestamp()::timestamp - interval '1 s'
                             AND clock_timestamp()::timestamp);
  WHILE v_goes_on AND v_processed < p_count LOOP
    -- The locks of the rows are the claim: they last as long as this transaction, and so does what
    -- it does with them.
    v_queue_ids := "partitioncache".lock_unclaimed(
      NULL, NULL, least(c_batch, p_count - v_processed), v_left);
    EXIT WHEN v_queue_ids IS NULL;
    v_goes_on := "partitioncache".process_locked("partitioncache".items_of(v_queue_ids), v_run);
    v_processed := v_processed + cardinality(v_queue_ids);
    -- What could not be settled would be the next to be taken.
    v_left := v_left || ARRAY(SELECT id FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = ANY (v_queue_ids));
  END LOOP;
  RETURN v_processed;
END
$$;

COMMENT ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) IS 'Processes up to p_count queued fragments in the caller''s transaction and with the caller''s rights, even if the processor is disabled. Returns how many. Raises P0002 for an unknown processor, 28000 when fragments would run as another role than the fragment role, 55000 while processing is held.';

REVOKE ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO client_role;
