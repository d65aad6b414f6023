CREATE FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text DEFAULT '500ms'::text) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
  v_partition record;
  v_results "partitioncache".item_result[] := '{}';
BEGIN
  PERFORM set_config('lock_timeout', p_lock_timeout, true);
  FOR v_partition IN
    SELECT result.outcome IN ('ok', 'limit') AS to_store, array_agg(result) AS results
    FROM unnest(p_results) AS result
    GROUP BY (result.item).partition_key, result.outcome IN ('ok', 'limit')
    -- In the same order in all runs, so that two of them cannot
    -- block each other over new partitions.
    ORDER BY (result.item).partition_key
  LOOP
    v_results := v_results || CASE
      WHEN v_partition.to_store
        THEN "partitioncache".store_partition(v_partition.results, p_run.default_bitsize)
      ELSE v_partition.results
    END;
  END LOOP;
  PERFORM "partitioncache".settle_results(v_results, p_run);
  RETURN v_results;
END
$$;

COMMENT ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) IS 'Caches the sets that fragments returned and settles the fragments; returns the results as they are now. Raises 55P03 rather than wait for another session for longer than p_lock_timeout.';

REVOKE ALL ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_and_settle(p_results partitioncache.item_result[], p_run partitioncache.run_context, p_lock_timeout text) TO client_role;
