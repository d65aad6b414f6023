CREATE FUNCTION partitioncache.hold_caches(p_partition_keys text[]) RETURNS text[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_key text;
  v_table text;
  v_held text[] := '{}';
BEGIN
  FOREACH v_key IN ARRAY p_partition_keys LOOP
    v_table := format('%I.%I', 'public', "partitioncache".cache_table_name(v_key));
    BEGIN
      PERFORM "partitioncache".hold_own_tables('read', '"public"."my_cache_queries"', v_table);
      IF to_regclass(v_table) IS NOT NULL THEN
        v_held := v_held || v_key;
      END IF;
    EXCEPTION
      WHEN wrong_object_type THEN
        -- What is in a table that is not ours does not count. To store the set again says why.
        CONTINUE;
    END;
  END LOOP;
  RETURN v_held;
END
$$;

COMMENT ON FUNCTION partitioncache.hold_caches(p_partition_keys text[]) IS 'Returns those of these partition keys whose cache table is there and ours. It is held for reading until the end of the transaction, and so are the queries.';

REVOKE ALL ON FUNCTION partitioncache.hold_caches(p_partition_keys text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.hold_caches(p_partition_keys text[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.hold_caches(p_partition_keys text[]) TO client_role;
