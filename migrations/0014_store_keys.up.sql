-- A set of keys into the cache table of its partition, whatever the backend.

CREATE FUNCTION {{schema}}.key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  -- Runs of zeros between the keys, assembled once: set_bit() would copy the whole string for each key.
  SELECT (coalesce(string_agg(repeat('0', (key - previous - 1)::integer) || '1', '' ORDER BY key), '')
          || repeat('0', (p_bitsize - 1 - coalesce(max(key), -1))::integer))::bit varying
  FROM (SELECT key, lag(key, 1, -1::bigint) OVER (ORDER BY key) AS previous FROM unnest(p_keys) AS key) AS gaps
$$;
COMMENT ON FUNCTION {{schema}}.key_bits(bigint[], integer) IS
  'Bit string of p_bitsize bits in which bit k, counted from 0 at the left, is set for each key k of the distinct p_keys (all below p_bitsize).';

CREATE FUNCTION {{schema}}.store_keys(p_query_hash text, p_partition_key text, p_keys {{schema}}.key_set) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_insert text := format(
    'INSERT INTO %I.%I (query_hash, partition_keys) VALUES ($1, %%s) '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = EXCLUDED.partition_keys',
    {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key));
  v_backend text := (SELECT cache_backend FROM {{schema}}.deployment);
  v_whole bigint[] := coalesce(p_keys.bigint_keys, p_keys.integer_keys::bigint[], '{}');
  v_needed bigint;
  v_bitsize integer;
BEGIN
  -- An empty set is a result; NULL would tell the client that the set is of no use.
  IF v_backend = 'array' THEN
    CASE p_keys.element_type
      WHEN 'integer' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.integer_keys, '{}');
      WHEN 'bigint' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.bigint_keys, '{}');
      WHEN 'numeric' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.numeric_keys, '{}');
      WHEN 'text' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.text_keys, '{}');
      WHEN 'timestamp' THEN EXECUTE format(v_insert, '$2') USING p_query_hash, coalesce(p_keys.timestamp_keys, '{}');
    END CASE;
    RETURN NULL;
  END IF;

  IF v_whole[1] < 0 THEN
    RAISE EXCEPTION 'key % cannot be stored in a % cache: keys start at 0', v_whole[1], v_backend
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Use the array backend for negative keys.';
  END IF;
  v_needed := coalesce(v_whole[cardinality(v_whole)] + 1, 1);

  IF v_backend = 'roaringbit' THEN
    IF v_needed > 2147483648 THEN
      RAISE EXCEPTION 'key % is too large for a roaring bitmap of integers', v_needed - 1
        USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Use the array backend for such keys.';
    END IF;
    EXECUTE format(v_insert, format('%I.rb_build($2)', {{schema}}.roaringbitmap_schema()))
      USING p_query_hash, v_whole::integer[];
    RETURN NULL;
  END IF;

  IF v_needed > 83886080 THEN
    RAISE EXCEPTION 'key % is too large for a bit cache: PostgreSQL''s bit strings end at 83886080 bits', v_needed - 1
      USING ERRCODE = 'numeric_value_out_of_range', HINT = 'Use the roaringbit or the array backend for such keys.';
  END IF;
  -- FOR SHARE: the width must not change between here and the insert.
  SELECT bitsize INTO STRICT v_bitsize FROM {{partition_metadata}} WHERE partition_key = p_partition_key FOR SHARE;
  IF v_needed > v_bitsize THEN
    RETURN v_needed;
  END IF;
  EXECUTE format(v_insert, '$2') USING p_query_hash, {{schema}}.key_bits(v_whole, v_bitsize);
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION {{schema}}.store_keys(text, text, {{schema}}.key_set) IS
  'Writes a set into the cache. Returns NULL when it is stored; for a bit cache that is too narrow, stores nothing and '
  'returns the bits it needs. Raises 22003 for keys the backend cannot hold.';

-- Definer: both tables belong to the migrator.
CREATE FUNCTION {{schema}}.widen_partition(p_partition_key text, p_bits integer) RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_bits integer;
BEGIN
  -- A client whose role owns the metadata adds a trigger of its own there, which refuses to widen what has rows.
  ALTER TABLE {{partition_metadata}} DISABLE TRIGGER USER;
  -- At least twofold, so that a growing key space costs few rewrites.
  UPDATE {{partition_metadata}}
  SET bitsize = greatest(p_bits, least(bitsize::bigint * 2, 83886080)::integer)
  WHERE partition_key = p_partition_key AND bitsize < p_bits
  RETURNING bitsize INTO v_bits;
  IF v_bits IS NOT NULL THEN
    PERFORM {{schema}}.alter_bit_cache(p_partition_key, v_bits);
  END IF;
  ALTER TABLE {{partition_metadata}} ENABLE TRIGGER USER;
END
$$;
COMMENT ON FUNCTION {{schema}}.widen_partition(text, integer) IS
  'Widens the bit cache of a partition key to p_bits or more; does nothing when it is wide enough. Locks the cache table exclusively.';

CREATE FUNCTION {{schema}}.store_unusable(p_query_hash text, p_partition_key text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.%I (query_hash, partition_keys) VALUES ($1, NULL) '
    'ON CONFLICT (query_hash) DO UPDATE SET partition_keys = NULL',
    {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key)) USING p_query_hash;
END
$$;
COMMENT ON FUNCTION {{schema}}.store_unusable(text, text) IS
  'Writes NULL into the cache: the clients'' contract for "known, but of no use for filtering".';

REVOKE ALL ON FUNCTION {{schema}}.key_bits(bigint[], integer), {{schema}}.store_keys(text, text, {{schema}}.key_set),
  {{schema}}.widen_partition(text, integer), {{schema}}.store_unusable(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.key_bits(bigint[], integer), {{schema}}.store_keys(text, text, {{schema}}.key_set),
  {{schema}}.widen_partition(text, integer), {{schema}}.store_unusable(text, text) TO {{cron_role}}, {{client_role}};
