CREATE FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
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

COMMENT ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) IS 'Like key_bits, and fastest when few bits are set: works with words of 64 bits.';

REVOKE ALL ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.sparse_key_bits(p_keys bigint[], p_bitsize integer) TO client_role;
