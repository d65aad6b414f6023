CREATE FUNCTION partitioncache.cache_tables(p_partition_key text DEFAULT NULL::text) RETURNS TABLE(relation regclass, name name, why_not text)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_owner oid := (
    SELECT relowner FROM pg_class
    WHERE relname = 'deployment'
      AND relnamespace = quote_ident('partitioncache')::regnamespace);
  v_schema name;
  v_other record;
  v_others text[] := '{}';
  v_prefixes text[] := '{}';
BEGIN
  FOR v_schema IN
    SELECT nspname FROM "partitioncache".deployment_schemas() AS nspname
    -- What another role deployed has another owner.
    WHERE nspname <> 'partitioncache'
      AND (SELECT relowner FROM pg_class
           WHERE relname = 'deployment' AND relnamespace = quote_ident(nspname)::regnamespace)
        = v_owner
  LOOP
    EXECUTE format(
      'SELECT client_schema, queue_prefix, table_prefix FROM %I.deployment', v_schema) INTO v_other;
    IF v_other.client_schema = 'public' THEN
      v_others := v_others || ARRAY[
        v_other.queue_prefix || '_original_query_queue',
        v_other.queue_prefix || '_query_fragment_queue',
        v_other.queue_prefix || '_processor_config',
        v_other.queue_prefix || '_processor_log',
        v_other.queue_prefix || '_active_jobs',
        v_other.table_prefix || '_partition_metadata',
        v_other.table_prefix || '_queries'];
      IF starts_with(v_other.table_prefix, 'my_cache' || '_cache_') THEN
        v_prefixes := v_prefixes || (v_other.table_prefix || '_cache_');
      END IF;
    END IF;
  END LOOP;

  RETURN QUERY
  SELECT c.oid::regclass, c.relname, CASE
    WHEN c.relkind <> 'r' THEN 'it is no plain table'
    WHEN c.relowner <> v_owner
      THEN format('it belongs to role %I', pg_get_userbyid(c.relowner))
    WHEN c.relname = ANY (v_others)
      OR EXISTS (SELECT FROM unnest(v_prefixes) AS prefix WHERE starts_with(c.relname, prefix))
      THEN 'it belongs to another deployment'
    WHEN ARRAY(
           SELECT format('%s %s %s', attname, CASE
               WHEN attname <> 'partition_keys' THEN atttypid::regtype::text
               WHEN 'array' = 'array' AND atttypid = ANY (ARRAY[
                 'integer[]', 'bigint[]', 'numeric[]', 'text[]', 'timestamp[]']::regtype[])
                 OR 'array' = 'bit' AND atttypid = 'bit'::regtype
                 OR 'array' = 'roaringbit' AND (
                   SELECT typname FROM pg_type WHERE pg_type.oid = atttypid) = 'roaringbitmap'
                 THEN 'keys'
             END, attgenerated)
           FROM pg_attribute
           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
           ORDER BY 1)
         <> '{"partition_keys keys ","partition_keys_count integer s","query_hash text "}'
      OR NOT EXISTS (
        SELECT FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attname = 'query_hash'
        WHERE indrelid = c.oid AND indisprimary AND indkey::text = attnum::text)
      THEN 'it has not the columns of a cache table'
  END
  FROM "public"."my_cache_partition_metadata" AS known
  JOIN pg_class AS c ON c.relname = 'my_cache' || '_cache_' || known.partition_key
  WHERE c.relnamespace = quote_ident('public')::regnamespace
    AND (p_partition_key IS NULL OR known.partition_key = p_partition_key)
  ORDER BY c.relname;
END
$$;

COMMENT ON FUNCTION partitioncache.cache_tables(p_partition_key text) IS 'What has the name of the cache table of a partition key, of all or of the one, and why it is not ours: NULL where it is. Hold the metadata where the answer must stay true.';

REVOKE ALL ON FUNCTION partitioncache.cache_tables(p_partition_key text) FROM PUBLIC;
