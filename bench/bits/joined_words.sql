-- By words, without a join: the words that have keys, and before each
-- of them the digits of those that have none.
CREATE FUNCTION bits.joined_words(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE AS $$
  SELECT substring(
    ('x' || coalesce(string_agg(
              repeat('0', (8 * (word - previous - 1))::integer) || lpad(to_hex(value), 8, '0'),
              '' ORDER BY word), '')
         || repeat('0', (8 * ((p_bitsize - 1) / 32 - coalesce(max(word), -1)))::integer)
    )::bit varying
    FROM 1 FOR p_bitsize)
  FROM (SELECT word, value, lag(word, 1, -1::bigint) OVER (ORDER BY word) AS previous
        FROM (SELECT key >> 5 AS word, sum(1::bigint << (31 - (key & 31))::integer)::bigint AS value
              FROM unnest(p_keys) AS key GROUP BY 1) AS words) AS gaps
$$;
