-- Writes sets of keys into the cache tables of their partitions, many at once, for every backend.

--! routine hold_caches
-- Once for many sets, since this takes longer than to look for one.
CREATE OR REPLACE FUNCTION {{schema}}.hold_caches(p_partition_keys text[])
RETURNS text[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_key text;
  v_table text;
  v_held text[] := '{}';
BEGIN
  FOREACH v_key IN ARRAY p_partition_keys LOOP
    v_table := format('%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(v_key));
    BEGIN
      PERFORM {{schema}}.hold_own_tables('read', {{queries:literal}}, v_table);
      IF to_regclass(v_table) IS NOT NULL THEN
        v_held := v_held || v_key;
      END IF;
    EXCEPTION
      WHEN wrong_object_type THEN
        -- What is in a table that is not ours does not count. To store the set again says why.
        CONTINUE;
    END;
  END LOOP;
  RETURN v_held;
END
$$;
COMMENT ON FUNCTION {{schema}}.hold_caches IS
  'Returns those of these partition keys whose cache table is there and ours. It is held for '
  'reading until the end of the transaction, and so are the queries.';
REVOKE ALL ON FUNCTION {{schema}}.hold_caches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.hold_caches TO {{cron_role}}, {{client_role}};
--! end

--! routine is_cached
CREATE OR REPLACE FUNCTION {{schema}}.is_cached(p_query_hash text, p_partition_key text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_table text := format(
    '%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key));
  v_cached boolean;
BEGIN
  PERFORM FROM {{queries}}
  WHERE query_hash = p_query_hash AND partition_key = p_partition_key AND status = 'ok';
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE query_hash = $1)', v_table)
    INTO v_cached USING p_query_hash;
  RETURN v_cached;
END
$$;
COMMENT ON FUNCTION {{schema}}.is_cached IS
  'Whether the set of a fragment is in the cache and its status is ok; an evicted set counts as '
  'not cached. The transaction must hold the cache of the partition key (hold_caches).';
REVOKE ALL ON FUNCTION {{schema}}.is_cached FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_cached TO {{cron_role}}, {{client_role}};
--! end

--! routine provide_cache_table
CREATE OR REPLACE FUNCTION {{schema}}.provide_cache_table(
  p_result {{schema}}.item_result, p_default_bitsize integer
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM {{partition_metadata}} WHERE partition_key = (p_result.item).partition_key;
  -- A client may have dropped the table of a partition that is known.
  IF NOT FOUND OR to_regclass(
    format('%I.%I', {{client_schema:literal}},
      {{schema}}.cache_table_name((p_result.item).partition_key))) IS NULL
  THEN
    PERFORM {{schema}}.bootstrap_partition(
      (p_result.item).partition_key, (p_result.item).datatype, p_default_bitsize,
      format_type(p_result.result_type, NULL) NOT IN ('integer[]', 'smallint[]'));
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.provide_cache_table IS
  'Makes sure that the partition of an evaluated fragment has metadata and a cache table; '
  'p_default_bitsize in bits, for a new bit cache. The transaction must hold the metadata.';
REVOKE ALL ON FUNCTION {{schema}}.provide_cache_table FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.provide_cache_table TO {{cron_role}}, {{client_role}};
--! end

--! routine bits_needed
CREATE OR REPLACE FUNCTION {{schema}}.bits_needed(p_result {{schema}}.item_result) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce(p_result.bigint_keys[cardinality(p_result.bigint_keys)] + 1, 1);
END
$$;
COMMENT ON FUNCTION {{schema}}.bits_needed IS
  'How many bits a set of keys needs: one more than its largest key.';
REVOKE ALL ON FUNCTION {{schema}}.bits_needed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.bits_needed TO {{cron_role}}, {{client_role}};
--! end

--! routine fit_to_bits
CREATE OR REPLACE FUNCTION {{schema}}.fit_to_bits(
  p_result {{schema}}.item_result, p_backend text, p_bitsize integer
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
  v_needed bigint := {{schema}}.bits_needed(p_result);
BEGIN
  IF p_result.outcome <> 'ok' THEN
    RETURN p_result;
  END IF;
  IF p_result.bigint_keys[1] < 0 THEN
    v_result.error := format(
      '22003: key %s cannot be stored in a %s cache: keys start at 0; '
      'use the array backend for negative keys', p_result.bigint_keys[1], p_backend);
  ELSIF p_backend = 'roaringbit' AND v_needed > 2147483648 THEN
    v_result.error := format(
      '22003: key %s is too large for a roaring bitmap of integers; '
      'use the array backend for such keys', v_needed - 1);
  ELSIF p_backend = 'bit' AND v_needed > 83886080 THEN
    v_result.error := format(
      '22003: key %s is too large for a bit cache: PostgreSQL''s bit strings end at 83886080 bits; '
      'use the roaringbit or the array backend for such keys', v_needed - 1);
  END IF;
  v_result.outcome := CASE
    WHEN v_result.error IS NOT NULL THEN 'failed'
    WHEN p_backend = 'bit' AND v_needed > p_bitsize THEN 'too_narrow'
    ELSE 'ok'
  END;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.fit_to_bits IS
  'The result, as failed when a bit or roaringbit cache cannot hold its keys, as too_narrow when a '
  'bit cache of p_bitsize bits cannot hold them yet.';
REVOKE ALL ON FUNCTION {{schema}}.fit_to_bits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.fit_to_bits TO {{cron_role}}, {{client_role}};
--! end

--! routine keys_expression
CREATE OR REPLACE FUNCTION {{schema}}.keys_expression(
  p_backend text, p_datatype text, p_bitsize integer
) RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- An empty set is a result; NULL would tell the client that the set is of no use.
  RETURN CASE
    WHEN p_backend = 'bit' THEN
      format('%I.key_bits(coalesce(result.bigint_keys, ''{}''), %s)', {{schema:literal}}, p_bitsize)
    WHEN p_backend = 'roaringbit' THEN
      format('%I.rb_build(coalesce(result.bigint_keys, ''{}'')::integer[])',
        {{schema}}.roaringbitmap_schema())
    WHEN p_datatype = 'integer' THEN 'coalesce(result.bigint_keys, ''{}'')'
    WHEN p_datatype = 'float' THEN 'coalesce(result.numeric_keys, ''{}'')'
    WHEN p_datatype = 'text' THEN 'coalesce(result.text_keys, ''{}'')'
    WHEN p_datatype = 'timestamp' THEN 'coalesce(result.timestamp_keys, ''{}'')'
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.keys_expression IS
  'SQL expression that turns the keys of an item_result named result into what a cache table of '
  'this backend holds.';
REVOKE ALL ON FUNCTION {{schema}}.keys_expression FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.keys_expression TO {{cron_role}}, {{client_role}};
--! end

--! routine store_partition
CREATE OR REPLACE FUNCTION {{schema}}.store_partition(
  p_results {{schema}}.item_result[], p_default_bitsize integer
) RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_first {{schema}}.item_result := p_results[1];
  v_results {{schema}}.item_result[] := p_results;
  v_backend text := (SELECT cache_backend FROM {{schema}}.service);
  v_table text := format('%I.%I',
    {{client_schema:literal}}, {{schema}}.cache_table_name((v_first.item).partition_key));
  v_held oid[];
  v_bitsize integer;
BEGIN
  -- Looked at together, since a look takes as long as storing sixty small sets.
  v_held := {{schema}}.lock_own('read', {{partition_metadata:literal}})
    || {{schema}}.lock_own('write', v_table);
  PERFORM {{schema}}.require_own(v_held);
  PERFORM {{schema}}.provide_cache_table(v_first, p_default_bitsize);
  IF (to_regclass(v_table)::oid = ANY (v_held)) IS NOT TRUE THEN
    -- Made since, by whomever.
    PERFORM {{schema}}.hold_own_tables('write', v_table);
  END IF;
  IF v_backend = 'bit' THEN
    -- Not locked: if the cache is widened between here and the insert, PostgreSQL refuses the
    -- insert (22026), and it is tried again.
    SELECT bitsize INTO STRICT v_bitsize
    FROM {{partition_metadata}} WHERE partition_key = (v_first.item).partition_key;
  END IF;
  IF v_backend <> 'array' THEN
    v_results := ARRAY(
      SELECT {{schema}}.fit_to_bits(result, v_backend, v_bitsize)
      FROM unnest(p_results) AS result);
  END IF;
  -- More keys than allowed are stored as NULL, which clients take for "known, but of no use for
  -- filtering".
  EXECUTE format(
    'INSERT INTO %s (query_hash, partition_keys) '
    'SELECT (result.item).query_hash, CASE result.outcome WHEN ''ok'' THEN %s END '
    'FROM unnest($1) AS result WHERE result.outcome IN (''ok'', ''limit'') '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = EXCLUDED.partition_keys',
    v_table, {{schema}}.keys_expression(v_backend, (v_first.item).datatype, v_bitsize))
    USING v_results;
  RETURN v_results;
END
$$;
COMMENT ON FUNCTION {{schema}}.store_partition IS
  'Caches what the fragments of one partition returned (outcome ok or limit) and returns the '
  'results: those that a bit cache cannot hold are failed or too_narrow now. Raises 22026 when the '
  'bit cache was widened meanwhile.';
REVOKE ALL ON FUNCTION {{schema}}.store_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.store_partition TO {{cron_role}}, {{client_role}};
--! end
