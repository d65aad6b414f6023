-- Cache tables: one per partition key, created when the key is first
-- used, and widened when a bit set outgrows it.
-- SECURITY DEFINER, so that the tables belong to the migrator whoever causes them to be
-- created: down can then drop them, and neither the cron role nor the client needs the
-- right to create anything for the processor.

--! routine cache_table_name
CREATE OR REPLACE FUNCTION {{schema}}.cache_table_name(p_partition_key text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_name text := {{table_prefix:literal}} || '_cache_' || p_partition_key;
BEGIN
  IF p_partition_key = '' OR octet_length(v_name) > 63 THEN
    RAISE EXCEPTION
      'partition key "%" cannot name a cache table: "%" has % bytes, PostgreSQL allows 63',
      p_partition_key, v_name, octet_length(v_name)
      USING ERRCODE = 'name_too_long',
            HINT = 'Use a shorter partition key or a shorter cache table prefix.';
  END IF;
  RETURN v_name;
END
$$;
COMMENT ON FUNCTION {{schema}}.cache_table_name IS
  'The unquoted name of the cache table of a partition key. Raises 42622 when the key is empty or '
  'the name would not fit in 63 bytes.';
REVOKE ALL ON FUNCTION {{schema}}.cache_table_name FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.cache_table_name TO {{cron_role}}, {{client_role}};
--! end

--! routine roaringbitmap_schema
CREATE OR REPLACE FUNCTION {{schema}}.roaringbitmap_schema() RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema text := (
    SELECT nspname
    FROM pg_extension
    JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'roaringbitmap');
BEGIN
  IF v_schema IS NULL THEN
    RAISE EXCEPTION 'the extension roaringbitmap is missing in database %', current_database()
      USING ERRCODE = 'undefined_object',
            HINT = 'Have an administrator run there: CREATE EXTENSION roaringbitmap;';
  END IF;
  RETURN v_schema;
END
$$;
COMMENT ON FUNCTION {{schema}}.roaringbitmap_schema IS
  'The schema of the extension roaringbitmap. Raises 42704 when the extension is missing.';
REVOKE ALL ON FUNCTION {{schema}}.roaringbitmap_schema FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.roaringbitmap_schema TO {{cron_role}}, {{client_role}};
--! end

--! routine set_bits_expression
CREATE OR REPLACE FUNCTION {{schema}}.set_bits_expression() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- bit_count() exists from PostgreSQL 14.
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 140000
    THEN 'bit_count(partition_keys)::integer'
    ELSE 'length(replace(partition_keys::text, ''0'', ''''))'
  END
$$;
COMMENT ON FUNCTION {{schema}}.set_bits_expression IS
  'SQL expression that counts the set bits of a bit cache row on this server.';
REVOKE ALL ON FUNCTION {{schema}}.set_bits_expression FROM PUBLIC;
--! end

--! routine bootstrap_partition
-- Definer: the table belongs to the migrator, whoever needs it. So no argument becomes SQL, except
-- the partition key as a quoted identifier.
CREATE OR REPLACE FUNCTION {{schema}}.bootstrap_partition(
  p_partition_key text, p_datatype text, p_bitsize integer, p_bigint boolean
) RETURNS boolean
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_backend text := (SELECT cache_backend FROM {{schema}}.deployment);
  v_roles text[] := (SELECT ARRAY[cron_role, client_role] FROM {{schema}}.deployment);
  v_table text := {{schema}}.cache_table_name(p_partition_key);
  v_datatype text;
  v_bitsize integer;
  v_column text;
  v_count text;
BEGIN
  -- When two runs meet a new key at once, the second waits here and then finds the table.
  PERFORM pg_advisory_xact_lock(
    quote_ident({{schema:literal}})::regnamespace::oid::integer, hashtext(p_partition_key));

  PERFORM {{schema}}.hold_own_tables('write', {{partition_metadata:literal}});
  IF v_backend = 'bit' THEN
    INSERT INTO {{partition_metadata}} (partition_key, datatype, bitsize)
    VALUES (p_partition_key, p_datatype, coalesce(p_bitsize, 1000))
    ON CONFLICT (partition_key) DO NOTHING;
    SELECT datatype, bitsize INTO v_datatype, v_bitsize
    FROM {{partition_metadata}} WHERE partition_key = p_partition_key;
  ELSE
    INSERT INTO {{partition_metadata}} (partition_key, datatype)
    VALUES (p_partition_key, p_datatype)
    ON CONFLICT (partition_key) DO NOTHING;
    SELECT datatype INTO v_datatype
    FROM {{partition_metadata}} WHERE partition_key = p_partition_key;
  END IF;
  IF v_datatype <> p_datatype THEN
    RAISE EXCEPTION 'partition key "%" holds % keys already, not %',
      p_partition_key, v_datatype, p_datatype
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF to_regclass(format('%I.%I', {{client_schema:literal}}, v_table)) IS NOT NULL THEN
    PERFORM {{schema}}.hold_own_tables(
      'look', format('%I.%I', {{client_schema:literal}}, v_table));
    RETURN false;
  END IF;

  CASE v_backend
    WHEN 'array' THEN
      v_column := CASE p_datatype
        WHEN 'integer' THEN CASE WHEN p_bigint THEN 'bigint[]' ELSE 'integer[]' END
        WHEN 'float' THEN 'numeric[]'
        WHEN 'text' THEN 'text[]'
        WHEN 'timestamp' THEN 'timestamp[]'
      END;
      -- A client may have recreated the metadata without the constraint on it.
      IF v_column IS NULL THEN
        RAISE EXCEPTION 'datatype "%" is not one of integer, float, text and timestamp', p_datatype
          USING ERRCODE = 'invalid_parameter_value';
      END IF;
      v_count := 'cardinality(partition_keys)';
    WHEN 'bit' THEN
      v_column := format('bit(%s)', v_bitsize);
      v_count := {{schema}}.set_bits_expression();
    WHEN 'roaringbit' THEN
      v_column := format('%I.roaringbitmap', {{schema}}.roaringbitmap_schema());
      v_count := format(
        '%I.rb_cardinality(partition_keys)::integer', {{schema}}.roaringbitmap_schema());
  END CASE;
  EXECUTE format(
    'CREATE TABLE %I.%I (query_hash text PRIMARY KEY, partition_keys %s, '
    'partition_keys_count integer GENERATED ALWAYS AS (%s) STORED)',
    {{client_schema:literal}}, v_table, v_column, v_count);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO %I, %I',
    {{client_schema:literal}}, v_table, v_roles[1], v_roles[2]);
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.bootstrap_partition IS
  'Creates the metadata and the cache table of a partition key unless they exist; returns true '
  'when it created the table. p_bigint: an array cache of datatype integer holds bigint keys; '
  'p_bitsize is in bits, 1000 by default. Raises 42804 when the key exists with another datatype, '
  '22023 for a datatype that an array cache does not have.';
REVOKE ALL ON FUNCTION {{schema}}.bootstrap_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.bootstrap_partition TO {{cron_role}}, {{client_role}};
--! end
