-- The runs of zeros between the keys, joined as text and cast once.
CREATE FUNCTION bits.run_length(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE AS $$
  SELECT (coalesce(string_agg(
            repeat('0', (key - previous - 1)::integer) || '1', '' ORDER BY key), '')
          || repeat('0', (p_bitsize - 1 - coalesce(max(key), -1))::integer))::bit varying
  FROM (SELECT key, lag(key, 1, -1::bigint) OVER (ORDER BY key) AS previous
        FROM unnest(p_keys) AS key) AS gaps
$$;
