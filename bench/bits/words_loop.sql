-- A FOREACH loop in PL/pgSQL fills an expanded array of 64-bit
-- words; string_agg(int8send) joins them.
CREATE FUNCTION bits.words_loop(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  v_words bigint[] := array_fill(0::bigint, ARRAY[(p_bitsize + 63) / 64]);
  v_key bigint;
  v_word bigint := 0;
  v_end bigint := 63;
BEGIN
  FOREACH v_key IN ARRAY p_keys LOOP
    IF v_key > v_end THEN
      v_words[(v_end + 1) >> 6] := v_word;
      v_word := 0;
      v_end := v_key | 63;
    END IF;
    v_word := v_word | (1::bigint << (v_end - v_key)::integer);
  END LOOP;
  v_words[(v_end + 1) >> 6] := v_word;
  RETURN "bit"(('x' || encode((
    SELECT string_agg(int8send(w), ''::bytea) FROM (SELECT unnest(v_words) AS w) AS words
  ), 'hex'))::bit varying, p_bitsize, true);
END $$;
