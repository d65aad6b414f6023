CREATE OR REPLACE FUNCTION {{schema}}.provide_cache_table(
  p_result {{schema}}.item_result, p_default_bitsize integer
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM {{partition_metadata}} WHERE partition_key = (p_result.item).partition_key;
  -- A client may have dropped the table of a partition that is known.
  IF NOT FOUND OR to_regclass(
    format('%I.%I', {{client_schema:literal}},
      {{schema}}.cache_table_name((p_result.item).partition_key))) IS NULL
  THEN
    PERFORM {{schema}}.bootstrap_partition(
      (p_result.item).partition_key, (p_result.item).datatype, p_default_bitsize,
      format_type(p_result.result_type, NULL) NOT IN ('integer[]', 'smallint[]'));
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.provide_cache_table IS
  'Makes sure that the partition of an evaluated fragment has metadata and a cache table; '
  'p_default_bitsize in bits, for a new bit cache. The transaction must hold the metadata.';
REVOKE ALL ON FUNCTION {{schema}}.provide_cache_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.provide_cache_table TO {{cron_role}}, {{client_role}};
