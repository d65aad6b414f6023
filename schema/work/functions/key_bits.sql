CREATE FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_count integer := cardinality(p_keys);
BEGIN
  -- bit(..., true) cuts, or pads with zeros, on the right. So does a cast, but its length must be a
  -- constant.
  IF p_keys[v_count] - p_keys[1] = v_count - 1 THEN
    -- The keys have no gap, as when a fragment returns all keys: zeros, then ones.
    RETURN "bit"(
      "bit"(B'', p_keys[1]::integer, true) || ~ "bit"(B'', v_count, true), p_bitsize, true);
  ELSIF v_count < p_bitsize / 128 THEN
    RETURN "partitioncache".sparse_key_bits(p_keys, p_bitsize);
  END IF;
  RETURN "partitioncache".dense_key_bits(p_keys, p_bitsize);
END
$$;

COMMENT ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) IS 'The bit string of p_bitsize bits in which bit k, counted from 0 on the left, is set for each key k of p_keys. The keys must be distinct, ascending, not NULL, and from 0 to below p_bitsize.';

REVOKE ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.key_bits(p_keys bigint[], p_bitsize integer) TO client_role;
