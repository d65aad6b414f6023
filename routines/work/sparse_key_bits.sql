CREATE OR REPLACE FUNCTION {{schema}}.sparse_key_bits(
  p_keys bigint[], p_bitsize integer
) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  -- The words of 64 bits that are not zero (and always the first one), and
  -- how many zero words precede each of them.
  v_words bigint[];
  v_zeros integer[] := '{0}';
  v_count integer := 1;
  v_word bigint := 0;
  v_last_of_word bigint := 63;
  v_key bigint;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    IF v_key > v_last_of_word THEN
      v_words[v_count] := v_word;
      v_count := v_count + 1;
      v_zeros[v_count] := (v_key - v_last_of_word - 1) >> 6;
      v_word := 0;
      v_last_of_word := v_key | 63;
    END IF;
    v_word := v_word | (1::bigint << (v_last_of_word - v_key)::integer);
  END LOOP;
  v_words[v_count] := v_word;
  RETURN "bit"(('x' || (
    SELECT string_agg(lpad(to_hex(word), 16, '0'), repeat('0000000000000000', zeros))
    FROM (SELECT unnest(v_words) AS word, unnest(v_zeros) AS zeros) AS words
  ))::bit varying, p_bitsize, true);
END
$$;
COMMENT ON FUNCTION {{schema}}.sparse_key_bits IS
  'Like key_bits, and fastest when few bits are set: works with words of 64 bits.';
REVOKE ALL ON FUNCTION {{schema}}.sparse_key_bits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.sparse_key_bits TO {{cron_role}}, {{client_role}};
