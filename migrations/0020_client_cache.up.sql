-- The clients' helper functions for the cache, with the names, parameters and results of their contract.
-- A client whose role owns them replaces them by its own whenever it connects, so nothing of ours calls them.
-- They are shared by all deployments of the database and find theirs by the table prefix.

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_cache_table_name(p_table_prefix text, p_partition_key text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_cache_' || p_partition_key $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_cache_table_name(text, text) IS
  'Unquoted name of the cache table of a partition key. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_metadata_table_name(p_table_prefix text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_partition_metadata' $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_metadata_table_name(text) IS
  'Unquoted name of the table of partition keys. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_queries_table_name(p_table_prefix text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_queries' $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_queries_table_name(text) IS
  'Unquoted name of the table of known fragments. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_find_deployment(p_prefix_column text, p_prefix text) RETURNS name
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_found boolean;
BEGIN
  FOR v_schema IN
    SELECT nspname
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
    WHERE relname = 'deployment' AND relkind = 'r'
      AND has_schema_privilege(pg_namespace.oid, 'USAGE') AND has_table_privilege(pg_class.oid, 'SELECT')
    ORDER BY nspname
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.deployment WHERE $2 IS NULL OR %I = $2)', v_schema, p_prefix_column)
      INTO v_found USING p_prefix_column, p_prefix;
    IF v_found THEN
      RETURN v_schema;
    END IF;
  END LOOP;
  RAISE EXCEPTION 'no deployment of pcache-migrate in database % has % "%" (or % may not use it)',
    current_database(), p_prefix_column, p_prefix, current_user
    USING ERRCODE = 'undefined_object',
          HINT = 'Deploy it with pcache-migrate setup, and name this role in PG_QUEUE_USER.';
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_find_deployment(text, text) IS
  'Schema of the deployment whose column table_prefix or queue_prefix is p_prefix (NULL: any). Raises 42704 when there is none.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_ensure_metadata_tables(p_table_prefix text) RETURNS void
LANGUAGE plpgsql
SET search_path = {{client_schema}}
AS $$
BEGIN
  -- For a deployed prefix the tables are there; the clients' own DDL covers the others.
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS %I (partition_key text PRIMARY KEY, datatype text NOT NULL, created_at timestamp DEFAULT now())',
    p_table_prefix || '_partition_metadata');
  EXECUTE format(
    'CREATE TABLE IF NOT EXISTS %I (query_hash text NOT NULL, partition_key text NOT NULL, query text NOT NULL, '
    'status text NOT NULL DEFAULT ''ok'' CHECK (status IN (''ok'', ''timeout'', ''failed'', ''limit'')), '
    'last_seen timestamp NOT NULL DEFAULT now(), PRIMARY KEY (query_hash, partition_key))',
    p_table_prefix || '_queries');
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_ensure_metadata_tables(text) IS
  'Creates the metadata and queries table of a prefix unless they exist. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_bootstrap_partition(
  p_table_prefix text, p_partition_key text, p_datatype text, p_cache_backend text, p_bitsize integer DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name := {{client_schema}}.partitioncache_find_deployment('table_prefix', p_table_prefix);
  v_backend text;
BEGIN
  EXECUTE format('SELECT cache_backend FROM %I.deployment', v_schema) INTO v_backend;
  IF p_cache_backend IS DISTINCT FROM v_backend THEN
    RAISE EXCEPTION 'cache % has backend %, not %', p_table_prefix, v_backend, p_cache_backend
      USING ERRCODE = 'feature_not_supported',
            HINT = 'Another backend is a deployment of its own, with its own table prefix.';
  END IF;
  EXECUTE format('SELECT %I.bootstrap_partition($1, $2, $3, NULL)', v_schema)
    USING p_partition_key, p_datatype, p_bitsize;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_bootstrap_partition(text, text, text, text, integer) IS
  'Makes a partition key ready for use; p_bitsize in bits, for backend bit. True when it is. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_create_bitsize_trigger(p_table_prefix text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name := {{client_schema}}.partitioncache_find_deployment('table_prefix', p_table_prefix);
BEGIN
  PERFORM FROM pg_trigger
  WHERE tgname = 'pcache_widen'
    AND tgrelid = to_regclass(format('%I.%I', {{client_schema:literal}}, p_table_prefix || '_partition_metadata'));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the trigger pcache_widen of %_partition_metadata is missing', p_table_prefix
      USING ERRCODE = 'undefined_object',
            HINT = format('It belongs to deployments of backend bit. If the table was recreated, run as its owner: '
              'CREATE TRIGGER pcache_widen BEFORE UPDATE OF bitsize ON %I.%I FOR EACH ROW EXECUTE FUNCTION %I.widen_bit_cache();',
              {{client_schema:literal}}, p_table_prefix || '_partition_metadata', v_schema);
  END IF;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_create_bitsize_trigger(text) IS
  'Makes sure that raising bitsize in the metadata widens the cache table: the trigger is part of the deployment. '
  'Raises 42704 where it is missing. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_cleanup_cached_queue_items(
  p_queue_prefix text, p_table_prefix text, p_limit integer DEFAULT 50
) RETURNS integer
LANGUAGE plpgsql
SET search_path = {{client_schema}}
AS $$
DECLARE
  v_deleted integer;
BEGIN
  EXECUTE format(
    'DELETE FROM %1$I WHERE id IN (SELECT queue.id FROM %1$I AS queue JOIN %2$I AS known '
    'ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key AND known.status = ''ok'' '
    'ORDER BY queue.id LIMIT $1 FOR UPDATE OF queue SKIP LOCKED)',
    p_queue_prefix || '_query_fragment_queue', p_table_prefix || '_queries') USING p_limit;
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_cleanup_cached_queue_items(text, text, integer) IS
  'Deletes up to p_limit queued fragments that are cached already. Returns how many. Clients'' contract.';

CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_queue_and_cache_info(p_table_prefix text, p_queue_prefix text)
RETURNS TABLE (
  partition_key text, cache_table_name text, cache_architecture text, cache_column_type text, bitsize integer,
  partition_datatype text, queue_items integer, last_cache_update timestamp, cache_exists boolean
)
LANGUAGE plpgsql STABLE
SET search_path = {{client_schema}}
AS $$
#variable_conflict use_column
DECLARE
  v_bitsize text := CASE WHEN EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass(quote_ident(p_table_prefix || '_partition_metadata')) AND attname = 'bitsize')
    THEN 'metadata.bitsize' ELSE 'NULL::integer' END;
BEGIN
  RETURN QUERY EXECUTE format($info$
    SELECT keys.partition_key,
           $1 || '_cache_' || keys.partition_key,
           CASE WHEN metadata.partition_key IS NULL THEN NULL
                WHEN cache_column.type LIKE 'bit%%' THEN 'bit'
                WHEN cache_column.type LIKE '%%roaringbitmap' THEN 'roaringbit'
                WHEN cache_column.type LIKE '%%[]' THEN 'array' END,
           cache_column.type,
           %3$s,
           metadata.datatype,
           (SELECT count(*)::integer FROM %2$I AS queue WHERE queue.partition_key = keys.partition_key),
           (SELECT max(last_seen) FROM %4$I AS known WHERE known.partition_key = keys.partition_key AND known.status = 'ok'),
           cache_column.type IS NOT NULL
    FROM (SELECT partition_key FROM %1$I UNION SELECT partition_key FROM %2$I) AS keys
    LEFT JOIN %1$I AS metadata ON metadata.partition_key = keys.partition_key
    LEFT JOIN LATERAL (
      SELECT format_type(atttypid, atttypmod) AS type
      FROM pg_attribute
      WHERE attrelid = to_regclass(quote_ident($1 || '_cache_' || keys.partition_key)) AND attname = 'partition_keys'
    ) AS cache_column ON true
    ORDER BY keys.partition_key
  $info$, p_table_prefix || '_partition_metadata', p_queue_prefix || '_query_fragment_queue', v_bitsize,
          p_table_prefix || '_queries')
  USING p_table_prefix;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_queue_and_cache_info(text, text) IS
  'One row for each partition key that is cached or queued. Clients'' contract.';
