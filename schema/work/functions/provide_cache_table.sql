CREATE FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM FROM "public"."my_cache_partition_metadata" WHERE partition_key = (p_result.item).partition_key;
  -- A client may have dropped the table of a partition that is known.
  IF NOT FOUND OR to_regclass(
    format('%I.%I', 'public',
      "partitioncache".cache_table_name((p_result.item).partition_key))) IS NULL
  THEN
    PERFORM "partitioncache".bootstrap_partition(
      (p_result.item).partition_key, (p_result.item).datatype, p_default_bitsize,
      format_type(p_result.result_type, NULL) NOT IN ('integer[]', 'smallint[]'));
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) IS 'Makes sure that the partition of an evaluated fragment has metadata and a cache table; p_default_bitsize in bits, for a new bit cache. The transaction must hold the metadata.';

REVOKE ALL ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.provide_cache_table(p_result partitioncache.item_result, p_default_bitsize integer) TO client_role;
