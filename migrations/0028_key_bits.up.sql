CREATE FUNCTION {{schema}}.key_bits(p_keys bigint[], p_bitsize integer) RETURNS bit varying
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  -- Runs of zeros between the keys, assembled once: set_bit() would copy the whole string for each key.
  SELECT (coalesce(string_agg(repeat('0', (key - previous - 1)::integer) || '1', '' ORDER BY key), '')
          || repeat('0', (p_bitsize - 1 - coalesce(max(key), -1))::integer))::bit varying
  FROM (SELECT key, lag(key, 1, -1::bigint) OVER (ORDER BY key) AS previous FROM unnest(p_keys) AS key) AS gaps
$$;
COMMENT ON FUNCTION {{schema}}.key_bits(bigint[], integer) IS
  'Bit string of p_bitsize bits in which bit k, counted from 0 at the left, is set for each key k of the distinct p_keys (all below p_bitsize).';
REVOKE ALL ON FUNCTION {{schema}}.key_bits(bigint[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.key_bits(bigint[], integer) TO {{cron_role}}, {{client_role}};
