CREATE FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) RETURNS boolean
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
    RETURN false;
  END IF;

  CASE v_backend
    WHEN 'array' THEN
      v_column := coalesce(
        p_element_type, CASE p_datatype WHEN 'float' THEN 'numeric' ELSE p_datatype END) || '[]';
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

COMMENT ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) IS 'Creates the metadata and the cache table of a partition key unless they exist; returns true when it created the table. p_element_type overrides the element type of the array (for bigint keys of datatype integer); p_bitsize is in bits, 1000 by default. Raises 42804 when the key exists with another datatype.';

REVOKE ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.bootstrap_partition(p_partition_key text, p_datatype text, p_bitsize integer, p_element_type text) TO client_role;
