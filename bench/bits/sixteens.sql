-- Sixteen keys per row by array subscript; each row is one number, as bits of its
-- length. Takes the keys in ascending order.
CREATE FUNCTION bits.sixteens(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT "bit"(
    string_agg(
      CASE
        WHEN k16 - k0 = 16 THEN '1111111111111111'
        WHEN k16 - k1 < 63 THEN "bit"(
          1::bigint << (k2 - k1) | 1 << (k3 - k2) | 1 << (k4 - k3) | 1 << (k5 - k4)
          | 1 << (k6 - k5) | 1 << (k7 - k6) | 1 << (k8 - k7) | 1 << (k9 - k8)
          | 1 << (k10 - k9) | 1 << (k11 - k10) | 1 << (k12 - k11) | 1 << (k13 - k12)
          | 1 << (k14 - k13) | 1 << (k15 - k14) | 1 << (k16 - k15) | 1,
          k16 - k0)::text
        ELSE (
          "bit"(1, k1 - k0) || "bit"(1, k2 - k1) || "bit"(1, k3 - k2) || "bit"(1, k4 - k3)
          || "bit"(1, k5 - k4) || "bit"(1, k6 - k5) || "bit"(1, k7 - k6) || "bit"(1, k8 - k7)
          || "bit"(1, k9 - k8) || "bit"(1, k10 - k9) || "bit"(1, k11 - k10) || "bit"(1, k12 - k11)
          || "bit"(1, k13 - k12) || "bit"(1, k14 - k13) || "bit"(1, k15 - k14)
          || "bit"(1, k16 - k15)
        )::text
      END, NULL)::bit varying,
    p_bitsize, true)
  FROM (SELECT coalesce(p_keys[i - 1], -1)::integer AS k0,
               coalesce(p_keys[i], p_bitsize + 0)::integer AS k1,
               coalesce(p_keys[i + 1], p_bitsize + 1)::integer AS k2,
               coalesce(p_keys[i + 2], p_bitsize + 2)::integer AS k3,
               coalesce(p_keys[i + 3], p_bitsize + 3)::integer AS k4,
               coalesce(p_keys[i + 4], p_bitsize + 4)::integer AS k5,
               coalesce(p_keys[i + 5], p_bitsize + 5)::integer AS k6,
               coalesce(p_keys[i + 6], p_bitsize + 6)::integer AS k7,
               coalesce(p_keys[i + 7], p_bitsize + 7)::integer AS k8,
               coalesce(p_keys[i + 8], p_bitsize + 8)::integer AS k9,
               coalesce(p_keys[i + 9], p_bitsize + 9)::integer AS k10,
               coalesce(p_keys[i + 10], p_bitsize + 10)::integer AS k11,
               coalesce(p_keys[i + 11], p_bitsize + 11)::integer AS k12,
               coalesce(p_keys[i + 12], p_bitsize + 12)::integer AS k13,
               coalesce(p_keys[i + 13], p_bitsize + 13)::integer AS k14,
               coalesce(p_keys[i + 14], p_bitsize + 14)::integer AS k15,
               coalesce(p_keys[i + 15], p_bitsize + 15)::integer AS k16
        FROM (SELECT generate_series(1, cardinality(p_keys) + 1, 16) AS i OFFSET 0) AS positions
        OFFSET 0) AS groups
$$;
