-- Gaps by array subscript, [i] - [i-1], over generate_series in the target list (no tuplestore).
CREATE FUNCTION bits.gaps_subscript(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT "bit"(
    coalesce(string_agg(
      CASE gap
        WHEN 1 THEN '1'
        WHEN 2 THEN '01'
        WHEN 3 THEN '001'
        ELSE repeat('0', gap - 1) || '1'
      END, NULL), '')::bit varying,
    p_bitsize, true)
  FROM (SELECT (p_keys[i] - coalesce(p_keys[i - 1], -1))::integer AS gap
        FROM (SELECT generate_series(1, cardinality(p_keys)) AS i OFFSET 0) AS positions
        OFFSET 0) AS gaps
$$;
