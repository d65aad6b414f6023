CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_cache_table_name(
  p_table_prefix text, p_partition_key text
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_cache_' || p_partition_key $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_cache_table_name(text, text) IS
  'The unquoted name of the cache table of a partition key. Part of the clients'' contract.';
