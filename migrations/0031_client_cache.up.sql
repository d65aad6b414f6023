-- The clients' helper functions for the cache, with the names, parameters and results of
-- their contract. A client whose role owns them replaces them with its own whenever it
-- connects, so nothing of ours calls them. All deployments of the database share them, and
-- they find their deployment by the table prefix.

--! routine partitioncache_get_cache_table_name
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_cache_table_name(
  p_table_prefix text, p_partition_key text
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_cache_' || p_partition_key $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_cache_table_name(text, text) IS
  'The unquoted name of the cache table of a partition key. Part of the clients'' contract.';
--! end

--! routine partitioncache_get_metadata_table_name
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_metadata_table_name(
  p_table_prefix text
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_partition_metadata' $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_metadata_table_name(text) IS
  'The unquoted name of the table of partition keys. Part of the clients'' contract.';
--! end

--! routine partitioncache_get_queries_table_name
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_queries_table_name(
  p_table_prefix text
) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_table_prefix || '_queries' $$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_queries_table_name(text) IS
  'The unquoted name of the table of known fragments. Part of the clients'' contract.';
--! end

--! routine partitioncache_deployments
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_deployments()
RETURNS TABLE (schema_name name, table_prefix text, cache_backend text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
BEGIN
  FOR v_schema IN
    SELECT nspname
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
    WHERE relname = 'service' AND relkind = 'v'
      -- Anybody can make a view of that name, which would run what he likes with our rights.
      AND pg_has_role(
        relowner,
        (SELECT proowner FROM pg_proc
         WHERE oid = to_regprocedure(
           quote_ident({{client_schema:literal}}) || '.partitioncache_deployments()')),
        'MEMBER')
      AND has_schema_privilege(pg_namespace.oid, 'USAGE')
      AND has_table_privilege(pg_class.oid, 'SELECT')
    ORDER BY nspname
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT $1, service.table_prefix, service.cache_backend '
      'FROM %I.service WHERE client_schema = $2',
      v_schema)
      USING v_schema, {{client_schema:literal}};
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_deployments() IS
  'The deployments of pcache-migrate that serve this schema and that the current role may use, '
  'made by the owner of this function or a member of it.';
--! end

--! routine partitioncache_find_deployment
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_find_deployment(
  p_table_prefix text, OUT schema_name name, OUT cache_backend text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT deployment.schema_name, deployment.cache_backend INTO schema_name, cache_backend
  FROM {{client_schema}}.partitioncache_deployments() AS deployment
  WHERE deployment.table_prefix = p_table_prefix;
  IF NOT FOUND THEN
    RAISE EXCEPTION
      'no deployment of pcache-migrate in database % has table_prefix "%" (or % may not use it)',
      current_database(), p_table_prefix, current_user
      USING ERRCODE = 'undefined_object',
            HINT = 'Deploy it with pcache-migrate setup, and name this role in PG_QUEUE_USER.';
  END IF;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_find_deployment(text) IS
  'The schema and backend of the deployment whose cache tables have '
  'this prefix. Raises 42704 when there is none.';
--! end

--! routine partitioncache_ensure_metadata_tables
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_ensure_metadata_tables(
  p_table_prefix text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_backend text := (
    SELECT cache_backend FROM {{client_schema}}.partitioncache_find_deployment(p_table_prefix));
BEGIN
  -- The deployment created these tables, but a client may have dropped them since. Where they
  -- exist, the caller needs no right to create tables.
  IF to_regclass(format('%I.%I',
      {{client_schema:literal}}, p_table_prefix || '_partition_metadata')) IS NULL THEN
    EXECUTE format(
      'CREATE TABLE %I.%I (partition_key text PRIMARY KEY, datatype text NOT NULL CHECK (%s), '
      'created_at timestamp DEFAULT now()%s)',
      {{client_schema:literal}}, p_table_prefix || '_partition_metadata',
      CASE v_backend
        WHEN 'array' THEN 'datatype IN (''integer'', ''float'', ''text'', ''timestamp'')'
        ELSE 'datatype = ''integer'''
      END,
      CASE v_backend
        WHEN 'bit' THEN ', bitsize integer NOT NULL CHECK (bitsize BETWEEN 1 AND 83886080)'
        ELSE ''
      END);
  END IF;
  IF to_regclass(format('%I.%I',
      {{client_schema:literal}}, p_table_prefix || '_queries')) IS NULL THEN
    EXECUTE format(
      'CREATE TABLE %I.%I (query_hash text NOT NULL, partition_key text NOT NULL, '
      'query text NOT NULL, '
      'status text NOT NULL DEFAULT ''ok'' '
      'CHECK (status IN (''ok'', ''timeout'', ''failed'', ''limit'')), '
      'last_seen timestamp NOT NULL DEFAULT now(), PRIMARY KEY (query_hash, partition_key))',
      {{client_schema:literal}}, p_table_prefix || '_queries');
  END IF;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_ensure_metadata_tables(text) IS
  'Creates the metadata and queries tables of a deployment unless '
  'they exist. Part of the clients'' contract.';
--! end

--! routine partitioncache_bootstrap_partition
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
--! end

--! routine partitioncache_create_bitsize_trigger
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_create_bitsize_trigger(
  p_table_prefix text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deployment record := {{client_schema}}.partitioncache_find_deployment(p_table_prefix);
  v_table text := format(
    '%I.%I', {{client_schema:literal}}, p_table_prefix || '_partition_metadata');
BEGIN
  IF v_deployment.cache_backend <> 'bit' THEN
    RAISE EXCEPTION 'cache % has backend %: only bit has a bitsize',
      p_table_prefix, v_deployment.cache_backend
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- The deployment created this trigger. It is missing where a client has recreated the table.
  IF NOT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = v_table::regclass AND tgname = 'pcache_widen'
  ) THEN
    EXECUTE format(
      'CREATE TRIGGER pcache_widen BEFORE UPDATE OF bitsize ON %s '
      'FOR EACH ROW EXECUTE FUNCTION %I.widen_bit_cache()',
      v_table, v_deployment.schema_name);
  END IF;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_create_bitsize_trigger(text) IS
  'Makes sure that raising bitsize in the metadata widens the cache table and '
  'keeps its rows. Part of the clients'' contract.';
--! end

--! routine partitioncache_cleanup_cached_queue_items
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_cleanup_cached_queue_items(
  p_queue_prefix text, p_table_prefix text, p_limit integer DEFAULT 50
) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_partition_key text;
  v_cache regclass;
  v_count integer;
  v_deleted integer := 0;
BEGIN
  FOR v_partition_key IN
    EXECUTE format(
      'SELECT DISTINCT partition_key FROM %I.%I ORDER BY 1',
      {{client_schema:literal}}, p_queue_prefix || '_query_fragment_queue')
  LOOP
    v_cache := to_regclass(format('%I.%I',
      {{client_schema:literal}}, p_table_prefix || '_cache_' || v_partition_key));
    CONTINUE WHEN v_cache IS NULL;
    -- Status ok is not enough: a set evicted since then is queued because the cache lacks it.
    EXECUTE format(
      'DELETE FROM %4$I.%1$I WHERE id IN (SELECT queue.id FROM %4$I.%1$I AS queue '
      'JOIN %4$I.%2$I AS known '
      'ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key '
      'JOIN %3$s AS cache ON cache.query_hash = queue.hash '
      'WHERE queue.partition_key = $1 AND known.status = ''ok'' '
      'ORDER BY queue.id LIMIT $2 FOR UPDATE OF queue SKIP LOCKED)',
      p_queue_prefix || '_query_fragment_queue', p_table_prefix || '_queries', v_cache,
      {{client_schema:literal}})
      USING v_partition_key, p_limit - v_deleted;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    v_deleted := v_deleted + v_count;
  END LOOP;
  RETURN v_deleted;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_cleanup_cached_queue_items(
  text, text, integer
) IS
  'Deletes up to p_limit queued fragments that are already cached. '
  'Returns how many. Part of the clients'' contract.';
--! end

--! routine partitioncache_get_queue_and_cache_info
CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_get_queue_and_cache_info(
  p_table_prefix text, p_queue_prefix text
)
RETURNS TABLE (
  partition_key text, cache_table_name text, cache_architecture text, cache_column_type text,
  bitsize integer, partition_datatype text, queue_items integer, last_cache_update timestamp,
  cache_exists boolean
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
-- PostgreSQL estimates thousands of rows where there are few, and would
-- compile the query: 1.4 s instead of 13 ms.
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_bitsize text := CASE WHEN EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass(format('%I.%I',
          {{client_schema:literal}}, p_table_prefix || '_partition_metadata'))
        AND attname = 'bitsize')
    THEN 'metadata.bitsize' ELSE 'NULL::integer' END;
BEGIN
  RETURN QUERY EXECUTE format($info$
    SELECT keys.partition_key,
           $1 || '_cache_' || keys.partition_key,
           -- Never NULL: clients print it with a width, which Python refuses for None.
           CASE WHEN cache_column.type IS NULL THEN 'not_created'
                WHEN cache_column.type LIKE 'bit%%' THEN 'bit'
                WHEN cache_column.type LIKE '%%roaringbitmap' THEN 'roaringbit'
                WHEN cache_column.type LIKE '%%[]' THEN 'array'
                ELSE 'unknown' END,
           cache_column.type,
           %3$s,
           coalesce(metadata.datatype,
                    (SELECT max(queue.partition_datatype)
                     FROM %5$I.%2$I AS queue
                     WHERE queue.partition_key = keys.partition_key)),
           (SELECT count(*)::integer
            FROM %5$I.%2$I AS queue
            WHERE queue.partition_key = keys.partition_key),
           (SELECT max(last_seen)
            FROM %5$I.%4$I AS known
            WHERE known.partition_key = keys.partition_key AND known.status = 'ok'),
           cache_column.type IS NOT NULL
    FROM (SELECT partition_key FROM %5$I.%1$I UNION SELECT partition_key FROM %5$I.%2$I) AS keys
    LEFT JOIN %5$I.%1$I AS metadata ON metadata.partition_key = keys.partition_key
    LEFT JOIN LATERAL (
      SELECT format_type(atttypid, atttypmod) AS type
      FROM pg_attribute
      WHERE attrelid = to_regclass(format('%%I.%%I', %5$L, $1 || '_cache_' || keys.partition_key))
        AND attname = 'partition_keys'
    ) AS cache_column ON true
    ORDER BY keys.partition_key
  $info$, p_table_prefix || '_partition_metadata', p_queue_prefix || '_query_fragment_queue',
          v_bitsize, p_table_prefix || '_queries', {{client_schema:literal}})
  USING p_table_prefix;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_get_queue_and_cache_info(text, text) IS
  'One row for each partition key that is cached or queued. Part of the clients'' contract.';
--! end
