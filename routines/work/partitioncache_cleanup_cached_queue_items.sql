CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_cleanup_cached_queue_items(
  p_queue_prefix text, p_table_prefix text, p_limit integer DEFAULT 50
) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_partition_key text;
  v_cache regclass;
  v_count integer;
  v_deleted integer := 0;
BEGIN
  FOR v_partition_key IN
    EXECUTE format(
      'SELECT DISTINCT partition_key FROM %I.%I ORDER BY 1',
      {{client_schema:literal}}, p_queue_prefix || '_query_fragment_queue')
  LOOP
    v_cache := to_regclass(format('%I.%I',
      {{client_schema:literal}}, p_table_prefix || '_cache_' || v_partition_key));
    CONTINUE WHEN v_cache IS NULL;
    -- Status ok is not enough: a set evicted since then is queued because the cache lacks it.
    EXECUTE format(
      'DELETE FROM %4$I.%1$I WHERE id IN (SELECT queue.id FROM %4$I.%1$I AS queue '
      'JOIN %4$I.%2$I AS known '
      'ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key '
      'JOIN %3$s AS cache ON cache.query_hash = queue.hash '
      'WHERE queue.partition_key = $1 AND known.status = ''ok'' '
      'ORDER BY queue.id LIMIT $2 FOR UPDATE OF queue SKIP LOCKED)',
      p_queue_prefix || '_query_fragment_queue', p_table_prefix || '_queries', v_cache,
      {{client_schema:literal}})
      USING v_partition_key, p_limit - v_deleted;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_deleted := v_deleted + v_count;
  END LOOP;
  RETURN v_deleted;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_cleanup_cached_queue_items(
  text, text, integer
) IS
  'Deletes up to p_limit queued fragments that are already cached. '
  'Returns how many. Part of the clients'' contract.';
