CREATE FUNCTION partitioncache.cache_table_name(p_partition_key text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_name text := 'my_cache' || '_cache_' || p_partition_key;
BEGIN
  IF p_partition_key = '' OR octet_length(v_name) > 63 THEN
    RAISE EXCEPTION
      'partition key "%" cannot name a cache table: "%" has % bytes, PostgreSQL allows 63',
      p_partition_key, v_name, octet_length(v_name)
      USING ERRCODE = 'name_too_long',
            HINT = 'Use a shorter partition key or a shorter cache table prefix.';
  END IF;
  RETURN v_name;
END
$$;

COMMENT ON FUNCTION partitioncache.cache_table_name(p_partition_key text) IS 'The unquoted name of the cache table of a partition key. Raises 42622 when the key is empty or the name would not fit in 63 bytes.';

REVOKE ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.cache_table_name(p_partition_key text) TO client_role;
