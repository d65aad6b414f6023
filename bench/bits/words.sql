-- The keys of each 32 bits are added up to a word; the words are joined as hexadecimal digits.
CREATE FUNCTION bits.words(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE AS $$
  SELECT substring(
    ('x' || string_agg(coalesce(digits, '00000000'), '' ORDER BY word))::bit varying
    FROM 1 FOR p_bitsize)
  FROM generate_series(0, (p_bitsize - 1) / 32) AS word
  LEFT JOIN (
    SELECT (key >> 5)::integer AS word,
           lpad(to_hex(sum(1::bigint << (31 - (key & 31))::integer)::bigint), 8, '0') AS digits
    FROM unnest(p_keys) AS key
    GROUP BY 1
  ) AS filled USING (word)
$$;
