CREATE OR REPLACE FUNCTION {{schema}}.store_and_settle(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context,
  p_lock_timeout text DEFAULT '500ms'
)
RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Shorter than the time after which PostgreSQL looks for a deadlock: if a client and
-- this run block each other, the run gives way.
SET lock_timeout = '500ms'
AS $$
DECLARE
  v_partition record;
  v_results {{schema}}.item_result[] := '{}';
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
        THEN {{schema}}.store_partition(v_partition.results, p_run.default_bitsize)
      ELSE v_partition.results
    END;
  END LOOP;
  PERFORM {{schema}}.settle_results(v_results, p_run);
  RETURN v_results;
END
$$;
COMMENT ON FUNCTION {{schema}}.store_and_settle IS
  'Caches the sets that fragments returned and settles the fragments; returns the results as they '
  'are now. Raises 55P03 rather than wait for another session for longer than p_lock_timeout.';
REVOKE ALL ON FUNCTION {{schema}}.store_and_settle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.store_and_settle TO {{cron_role}}, {{client_role}};
