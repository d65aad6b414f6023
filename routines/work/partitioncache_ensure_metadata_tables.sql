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
