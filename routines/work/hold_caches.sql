-- Once for many sets, since this takes longer than to look for one.
CREATE OR REPLACE FUNCTION {{schema}}.hold_caches(p_partition_keys text[])
RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_key text;
  v_table text;
  v_held text[] := '{}';
BEGIN
  FOREACH v_key IN ARRAY p_partition_keys LOOP
    v_table := format('%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(v_key));
    BEGIN
      PERFORM {{schema}}.hold_own_tables('read', {{queries:literal}}, v_table);
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
COMMENT ON FUNCTION {{schema}}.hold_caches IS
  'Returns those of these partition keys whose cache table is there and ours. It is held for '
  'reading until the end of the transaction, and so are the queries.';
REVOKE ALL ON FUNCTION {{schema}}.hold_caches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.hold_caches TO {{cron_role}}, {{client_role}};
