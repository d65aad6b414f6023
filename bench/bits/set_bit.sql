-- One set_bit() per key, each of which copies the whole string: THE ALTERNATIVE, as the clients'
-- contract describes it (our own reconstruction).
CREATE FUNCTION bits.set_bit(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_bits bit varying := repeat('0', p_bitsize)::bit varying;
  v_key bigint;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    v_bits := pg_catalog.set_bit(v_bits, v_key::integer, 1);
  END LOOP;
  RETURN v_bits;
END
$$;
