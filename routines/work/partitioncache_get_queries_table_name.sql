CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_queries_table_name(
  p_table_prefix text
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_queries' $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_queries_table_name(text) IS
  'The unquoted name of the table of known fragments. Part of the clients'' contract.';
