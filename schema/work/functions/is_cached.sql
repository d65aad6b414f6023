CREATE FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
DECLARE
  v_table text := format(
    '%I.%I', 'public', "partitioncache".cache_table_name(p_partition_key));
  v_cached boolean;
BEGIN
  PERFORM FROM "public"."my_cache_queries"
  WHERE query_hash = p_query_hash AND partition_key = p_partition_key AND status = 'ok';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE query_hash = $1)', v_table)
    INTO v_cached USING p_query_hash;
  RETURN v_cached;
END
$_$;

COMMENT ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) IS 'Whether the set of a fragment is in the cache and its status is ok; an evicted set counts as not cached. The transaction must hold the cache of the partition key (hold_caches).';

REVOKE ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.is_cached(p_query_hash text, p_partition_key text) TO client_role;
