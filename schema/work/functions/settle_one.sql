CREATE FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_state text;
  v_message text;
BEGIN
  RETURN ("partitioncache".store_and_settle(ARRAY[p_result], p_run, p_lock_timeout))[1];
EXCEPTION
  WHEN serialization_failure OR deadlock_detected OR lock_not_available
    OR string_data_length_mismatch THEN
    -- Other sessions are in the way, and no fragment must be set aside for that.
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
    v_result.error := format('%s: %s', v_state, v_message);
    RETURN "partitioncache".put_back(v_result, '1 s', 0, p_run);
  WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
    v_result.outcome := 'failed';
    v_result.error := format('%s: %s', v_state, v_message);
    PERFORM "partitioncache".settle_results(ARRAY[v_result], p_run);
    RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) IS 'Like store_and_settle for one fragment, but an error from the cache ends the fragment as put_back or failed.';

REVOKE ALL ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.settle_one(p_result partitioncache.item_result, p_run partitioncache.run_context, p_lock_timeout text) TO client_role;
