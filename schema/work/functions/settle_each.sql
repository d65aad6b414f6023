CREATE FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_timeout text := '500ms';
  v_result "partitioncache".item_result;
  v_settled "partitioncache".item_result;
  v_results "partitioncache".item_result[] := '{}';
BEGIN
  FOREACH v_result IN ARRAY p_results LOOP
    v_settled := "partitioncache".settle_one(v_result, p_run, v_lock_timeout);
    v_results := v_results || v_settled;
    -- Settled fragments stay locked until all are settled, so a session that blocks us
    -- may be waiting for one of them. We have waited for it once. Waiting for it again
    -- at each fragment would be its deadlock.
    IF v_settled.outcome = 'put_back' AND v_result.outcome <> 'put_back' THEN
      v_lock_timeout := '1ms';
    END IF;
  END LOOP;
  RETURN v_results;
END
$$;

COMMENT ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) IS 'Like store_and_settle, but settles each fragment by itself, so that none is lost because of another. Waits for other sessions for half a second in all.';

REVOKE ALL ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.settle_each(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO client_role;
