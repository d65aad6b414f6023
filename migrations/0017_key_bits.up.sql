-- Turns a set of keys into a bit string. Which way is fastest depends on how dense the set is.
-- All of them trust the order of the keys, and assemble the string once, because set_bit() would
-- copy it for each key. Their plans are generic: planning anew for each set would cost more than
-- a small set does, and a big set would set off JIT.

--! routine sparse_key_bits
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
--! end

--! routine dense_key_bits
CREATE OR REPLACE FUNCTION {{schema}}.dense_key_bits(p_keys bigint[], p_bitsize integer)
RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
  -- Each row holds eight keys, since a row costs more than a key. It gives the bits after the key
  -- before it (k0) up to its last key (k8). Past the end of the array the keys continue beyond the
  -- bit size, and are cut off in the end.
  RETURN (
    SELECT "bit"(string_agg(
             CASE
               WHEN k8 - k0 = 8 THEN '11111111'
               -- One number, as long as it stays positive; bit() puts zeros before it.
               WHEN k8 - k1 < 63 THEN
                 "bit"((1::bigint << (k8 - k1)) | (1::bigint << (k8 - k2))
                       | (1::bigint << (k8 - k3)) | (1::bigint << (k8 - k4))
                       | (1::bigint << (k8 - k5)) | (1::bigint << (k8 - k6))
                       | (1::bigint << (k8 - k7)) | 1, k8 - k0)::text
               ELSE
                 ("bit"(1, k1 - k0) || "bit"(1, k2 - k1)
                  || "bit"(1, k3 - k2) || "bit"(1, k4 - k3)
                  || "bit"(1, k5 - k4) || "bit"(1, k6 - k5)
                  || "bit"(1, k7 - k6) || "bit"(1, k8 - k7))::text
             END, NULL)::bit varying, p_bitsize, true)
    FROM (
      SELECT coalesce(p_keys[i - 1], -1)::integer AS k0,
             coalesce(p_keys[i], p_bitsize)::integer AS k1,
             coalesce(p_keys[i + 1], p_bitsize + 1)::integer AS k2,
             coalesce(p_keys[i + 2], p_bitsize + 2)::integer AS k3,
             coalesce(p_keys[i + 3], p_bitsize + 3)::integer AS k4,
             coalesce(p_keys[i + 4], p_bitsize + 4)::integer AS k5,
             coalesce(p_keys[i + 5], p_bitsize + 5)::integer AS k6,
             coalesce(p_keys[i + 6], p_bitsize + 6)::integer AS k7,
             coalesce(p_keys[i + 7], p_bitsize + 7)::integer AS k8
      -- In the target list generate_series() stores no rows; in FROM it would store them all first.
      FROM (SELECT generate_series(1, cardinality(p_keys) + 1, 8) AS i) AS positions
      -- Not merged into the expressions above, which would then look up each key each time.
      OFFSET 0
    ) AS eights
  );
END
$$;
COMMENT ON FUNCTION {{schema}}.dense_key_bits IS
  'As key_bits, but fastest when many bits are set: works on groups of eight keys.';
REVOKE ALL ON FUNCTION {{schema}}.dense_key_bits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.dense_key_bits TO {{cron_role}}, {{client_role}};
--! end

--! routine key_bits
CREATE OR REPLACE FUNCTION {{schema}}.key_bits(p_keys bigint[], p_bitsize integer)
RETURNS bit varying
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
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
    RETURN {{schema}}.sparse_key_bits(p_keys, p_bitsize);
  END IF;
  RETURN {{schema}}.dense_key_bits(p_keys, p_bitsize);
END
$$;
COMMENT ON FUNCTION {{schema}}.key_bits IS
  'The bit string of p_bitsize bits in which bit k, counted from 0 on the left, is set for each '
  'key k of p_keys. The keys must be distinct, ascending, not NULL, and from 0 to below p_bitsize.';
REVOKE ALL ON FUNCTION {{schema}}.key_bits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.key_bits TO {{cron_role}}, {{client_role}};
--! end
