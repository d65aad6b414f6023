CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_metadata_table_name(
  p_table_prefix text
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_partition_metadata' $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_metadata_table_name(text) IS
  'The unquoted name of the table of partition keys. Part of the clients'' contract.';
