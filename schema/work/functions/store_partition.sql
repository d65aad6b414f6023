CREATE FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) RETURNS partitioncache.item_result[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_first "partitioncache".item_result := p_results[1];
  v_results "partitioncache".item_result[] := p_results;
  v_backend text := (SELECT cache_backend FROM "partitioncache".service);
  v_table text := format('%I.%I',
    'public', "partitioncache".cache_table_name((v_first.item).partition_key));
  v_held oid[];
  v_bitsize integer;
BEGIN
  -- Looked at together, since a look takes as long as storing sixty small sets.
  v_held := "partitioncache".lock_own('read', '"public"."my_cache_partition_metadata"')
    || "partitioncache".lock_own('write', v_table);
  PERFORM "partitioncache".require_own(v_held);
  PERFORM "partitioncache".provide_cache_table(v_first, p_default_bitsize);
  IF (to_regclass(v_table)::oid = ANY (v_held)) IS NOT TRUE THEN
    -- Made since, by whomever.
    PERFORM "partitioncache".hold_own_tables('write', v_table);
  END IF;
  IF v_backend = 'bit' THEN
    -- Not locked: if the cache is widened between here and the insert, PostgreSQL refuses the
    -- insert (22026), and it is tried again.
    SELECT bitsize INTO STRICT v_bitsize
    FROM "public"."my_cache_partition_metadata" WHERE partition_key = (v_first.item).partition_key;
  END IF;
  IF v_backend <> 'array' THEN
    v_results := ARRAY(
      SELECT "partitioncache".fit_to_bits(result, v_backend, v_bitsize)
      FROM unnest(p_results) AS result);
  END IF;
  -- More keys than allowed are stored as NULL, which clients take for "known, but of no use for
  -- filtering".
  EXECUTE format(
    'INSERT INTO %s (query_hash, partition_keys) '
    'SELECT (result.item).query_hash, CASE result.outcome WHEN ''ok'' THEN %s END '
    'FROM unnest($1) AS result WHERE result.outcome IN (''ok'', ''limit'') '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = EXCLUDED.partition_keys',
    v_table, "partitioncache".keys_expression(v_backend, (v_first.item).datatype, v_bitsize))
    USING v_results;
  RETURN v_results;
END
$_$;

COMMENT ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) IS 'Caches what the fragments of one partition returned (outcome ok or limit) and returns the results: those that a bit cache cannot hold are failed or too_narrow now. Raises 22026 when the bit cache was widened meanwhile.';

REVOKE ALL ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_partition(p_results partitioncache.item_result[], p_default_bitsize integer) TO client_role;
