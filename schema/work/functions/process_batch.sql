CREATE FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  c_batch CONSTANT integer := 100;
  v_lock_key integer := "partitioncache".open_manual_slot(p_job_name);
  v_step "partitioncache".run_step;
  v_processed integer := 0;
BEGIN
  WHILE v_processed < p_count LOOP
    v_step := "partitioncache".claim_by_hand(
      p_job_name, v_lock_key, least(c_batch, p_count - v_processed), false);
    EXIT WHEN v_step.items IS NULL;
    EXIT WHEN NOT "partitioncache".process_claimed(v_step);
    v_processed := v_processed + cardinality(v_step.items);
  END LOOP;
  PERFORM "partitioncache".close_slot(v_lock_key);
  RETURN v_processed;
EXCEPTION
  WHEN OTHERS OR query_canceled OR assert_failure THEN
    -- The claims are rolled back, but the session keeps its lock: a pooled
    -- connection would keep the slot for ever.
    PERFORM "partitioncache".close_slot(v_lock_key);
    RAISE;
END
$$;

COMMENT ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) IS 'Processes up to p_count queued fragments in the caller''s transaction, even if the processor is disabled. Returns how many.';

REVOKE ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.process_batch(p_job_name text, p_count integer) TO client_role;
