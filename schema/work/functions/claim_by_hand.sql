CREATE FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_config "public"."partitioncache_queue_processor_config";
  v_batch "partitioncache".batch;
  v_step "partitioncache".run_step;
BEGIN
  SELECT * INTO v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF p_own_session THEN
    -- As in next_step, a claim must be known after a crash. A client's session does not try
    -- suspects.
    PERFORM set_config('synchronous_commit', 'local', true);
    v_batch := "partitioncache".claim_suspect(p_lock_key);
  END IF;
  IF v_batch.batch_id IS NULL THEN
    v_batch := "partitioncache".claim_batch(p_lock_key, p_limit, NULL, NULL);
  END IF;
  v_step.items := "partitioncache".items_of(v_batch.queue_ids);
  -- Without claimed_at, no other slot is given what a run by hand has claimed.
  v_step.context := ROW(p_job_name, p_lock_key, 'manual', p_own_session, v_batch.batch_id, NULL,
                        v_config.result_limit, v_config.default_bitsize);
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) IS 'Claims up to p_limit fragments for a run by hand, even if the processor is disabled. Returns a step without items when there are none.';

REVOKE ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean) TO client_role;
