CREATE OR REPLACE FUNCTION {{schema}}.key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_count integer := cardinality(p_keys);
BEGIN
  -- bit(..., true) cuts or fills up with zeros at the right, as a cast does whose length must be a constant.
  IF p_keys[v_count] - p_keys[1] = v_count - 1 THEN
    -- Without a gap, as all keys are: zeros, then ones.
    RETURN "bit"("bit"(B'', p_keys[1]::integer, true) || ~ "bit"(B'', v_count, true), p_bitsize, true);
  ELSIF v_count < p_bitsize / 128 THEN
    RETURN {{schema}}.sparse_key_bits(p_keys, p_bitsize);
  END IF;
  RETURN {{schema}}.dense_key_bits(p_keys, p_bitsize);
END
$$;
COMMENT ON FUNCTION {{schema}}.key_bits IS
  'Bit string of p_bitsize bits in which bit k, counted from 0 at the left, is set for each key k of p_keys, which are distinct, '
  'ascending, not NULL, and from 0 to below p_bitsize.';
REVOKE ALL ON FUNCTION {{schema}}.key_bits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.key_bits TO {{cron_role}}, {{client_role}};
