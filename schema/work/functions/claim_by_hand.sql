CREATE FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_run "partitioncache".run_context;
  v_batch "partitioncache".batch;
  v_step "partitioncache".run_step;
BEGIN
  PERFORM "partitioncache".hold_own_tables(
    'read', '"public"."partitioncache_queue_processor_config"', '"public"."partitioncache_queue_query_fragment_queue"', '"public"."my_cache_queries"',
    '"public"."my_cache_partition_metadata"');
  PERFORM "partitioncache".hold_own_tables('look', '"public"."partitioncache_queue_processor_log"', '"public"."partitioncache_queue_active_jobs"');
  v_run := "partitioncache".manual_context(p_job_name);
  -- As in next_step, a claim must be known after a crash.
  PERFORM set_config('synchronous_commit', 'local', true);
  v_batch := "partitioncache".claim_suspect(p_lock_key);
  IF v_batch.batch_id IS NULL THEN
    v_batch := "partitioncache".claim_batch(p_lock_key, 1, NULL, NULL);
  END IF;
  v_step.items := "partitioncache".items_of(v_batch.queue_ids);
  v_run.lock_key := p_lock_key;
  v_run.own_session := true;
  v_run.batch_id := v_batch.batch_id;
  v_step.context := v_run;
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer) IS 'Claims one fragment for a run by hand in a session of its own, even if the processor is disabled. Returns a step without items when there is none.';

REVOKE ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer) TO cron_role;
