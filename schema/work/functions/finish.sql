CREATE FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_results "partitioncache".item_result[];
  v_skipped text[] := ARRAY(
    SELECT DISTINCT (result.item).partition_key
    FROM unnest(p_results) AS result WHERE result.outcome = 'skipped'
    ORDER BY 1);
  v_held text[];
BEGIN
  IF v_skipped <> '{}' THEN
    PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_query_fragment_queue"');
    -- A cancel has undone what was held when they were skipped.
    v_held := "partitioncache".hold_caches(v_skipped);
  END IF;
  v_results := ARRAY(
    SELECT CASE result.outcome
             -- While processing is held, whoever holds it cancels: the fragment is not at fault.
             WHEN 'put_back' THEN "partitioncache".put_back(
               result, '1 s', CASE WHEN "partitioncache".is_held() THEN 0 ELSE 1 END, p_run)
             WHEN 'skipped' THEN "partitioncache".confirm_skip(result, v_held)
             ELSE result
           END
    FROM unnest(p_results) AS result);
  BEGIN
    RETURN "partitioncache".store_and_settle(v_results, p_run);
  EXCEPTION
    WHEN OTHERS THEN
      -- One of them cannot be stored. Settle each by itself, so that the others are not lost with
      -- it and its error is found again.
      RETURN "partitioncache".settle_each(v_results, p_run);
  END;
END
$$;

COMMENT ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) IS 'Stores and settles the results of evaluated fragments, whatever error the cache raises for one of them. Returns the results as they are afterwards.';

REVOKE ALL ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.finish(p_results partitioncache.item_result[], p_run partitioncache.run_context) TO client_role;
