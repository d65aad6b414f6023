CREATE FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_bigint boolean) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_backend text := (SELECT cache_backend FROM "partitioncache".deployment);
  v_roles text[] := (SELECT ARRAY[cron_role, client_role] FROM "partitioncache".deployment);
  v_table text := "partitioncache".cache_table_name(p_partition_key);
  v_datatype text;
  v_bitsize integer;
  v_column text;
  v_count text;
BEGIN
  -- When two runs meet a new key at once, the second waits here and then finds the table.
  PERFORM pg_advisory_xact_lock(
    quote_ident('partitioncache')::regnamespace::oid::integer, hashtext(p_partition_key));

  PERFORM "partitioncache".hold_own_tables('write', '"public"."my_cache_partition_metadata"');
  IF v_backend = 'bit' THEN
    INSERT INTO "public"."my_cache_partition_metadata" (partition_key, datatype, bitsize)
    VALUES (p_partition_key, p_datatype, coalesce(p_bitsize, 1000))
    ON CONFLICT (partition_key) DO NOTHING;
    SELECT datatype, bitsize INTO v_datatype, v_bitsize
    FROM "public"."my_cache_partition_metadata" WHERE partition_key = p_partition_key;
  ELSE
    INSERT INTO "public"."my_cache_partition_metadata" (partition_key, datatype)
    VALUES (p_partition_key, p_datatype)
    ON CONFLICT (partition_key) DO NOTHING;
    SELECT datatype INTO v_datatype
    FROM "public"."my_cache_partition_metadata" WHERE partition_key = p_partition_key;
  END IF;
  IF v_datatype <> p_datatype THEN
    RAISE EXCEPTION 'partition key "%" holds % keys already, not %',
      p_partition_key, v_datatype, p_datatype
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF to_regclass(format('%I.%I', 'public', v_table)) IS NOT NULL THEN
    PERFORM "partitioncache".hold_own_tables(
      'look', format('%I.%I', 'public', v_table));
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
      v_count := "partitioncache".set_bits_expression();
    WHEN 'roaringbit' THEN
      v_column := format('%I.roaringbitmap', "partitioncache".roaringbitmap_schema());
      v_count := format(
        '%I.rb_cardinality(partition_keys)::integer', "partitioncache".roaringbitmap_schema());
  END CASE;
  EXECUTE format(
    'CREATE TABLE %I.%I (query_hash text PRIMARY KEY, partition_keys %s, '
    'partition_keys_count integer GENERATED ALWAYS AS (%s) STORED)',
    'public', v_table, v_column, v_count);
  EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I.%I TO %I, %I',
    'public', v_table, v_roles[1], v_roles[2]);
  RETURN true;
END
$$;

COMMENT ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_bigint boolean) IS 'Creates the metadata and the cache table of a partition key unless they exist; returns true when it created the table. p_bigint: an array cache of datatype integer holds bigint keys; p_bitsize is in bits, 1000 by default. Raises 42804 when the key exists with another datatype, 22023 for a datatype that an array cache does not have.';

REVOKE ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_bigint boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_bigint boolean) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_bigint boolean) TO client_role;
