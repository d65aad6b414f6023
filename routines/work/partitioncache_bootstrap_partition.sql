CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_bootstrap_partition(
  p_table_prefix text, p_partition_key text, p_datatype text, p_cache_backend text,
  p_bitsize integer DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deployment record;
BEGIN
  IF p_cache_backend IN ('array', 'bit', 'roaringbit') IS NOT TRUE THEN
    RAISE EXCEPTION
      'backend % is not supported by pcache-migrate: it deploys array, bit and roaringbit',
      p_cache_backend
      USING ERRCODE = 'feature_not_supported';
  END IF;
  v_deployment := {{client_schema}}.partitioncache_find_deployment(p_table_prefix);
  IF p_cache_backend <> v_deployment.cache_backend THEN
    RAISE EXCEPTION 'cache % has backend %, not %',
      p_table_prefix, v_deployment.cache_backend, p_cache_backend
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Another backend is a deployment of its own, with its own table prefix.';
  END IF;
  EXECUTE format('SELECT %I.bootstrap_partition($1, $2, $3, false)', v_deployment.schema_name)
    USING p_partition_key, p_datatype, p_bitsize;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_bootstrap_partition(
  text, text, text, text, integer
) IS
  'Makes a partition key ready for use and returns true once it is; p_bitsize is in bits, for '
  'backend bit. Clients'' contract.';
