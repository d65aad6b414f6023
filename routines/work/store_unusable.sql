CREATE OR REPLACE FUNCTION {{schema}}.store_unusable(
  p_query_hash text, p_partition_key text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.%I (query_hash, partition_keys) VALUES ($1, NULL) '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = NULL',
    {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key)) USING p_query_hash;
END
$$;
COMMENT ON FUNCTION {{schema}}.store_unusable IS
  'Writes NULL into the cache, which in the clients'' contract means '
  '"known, but of no use for filtering".';
REVOKE ALL ON FUNCTION {{schema}}.store_unusable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.store_unusable TO {{cron_role}}, {{client_role}};
