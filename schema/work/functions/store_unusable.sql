CREATE FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.%I (query_hash, partition_keys) VALUES ($1, NULL) '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = NULL',
    'public', "partitioncache".cache_table_name(p_partition_key)) USING p_query_hash;
END
$_$;

COMMENT ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) IS 'Writes NULL into the cache: the clients'' contract for "known, but of no use for filtering".';

REVOKE ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.store_unusable(p_query_hash text, p_partition_key text) TO client_role;
