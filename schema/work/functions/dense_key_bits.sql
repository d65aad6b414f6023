CREATE FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET plan_cache_mode TO 'force_generic_plan'
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

COMMENT ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) IS 'As key_bits, but fastest when many bits are set: works on groups of eight keys.';

REVOKE ALL ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.dense_key_bits(p_keys bigint[], p_bitsize integer) TO client_role;
