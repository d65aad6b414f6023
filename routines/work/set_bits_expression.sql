CREATE OR REPLACE FUNCTION {{schema}}.set_bits_expression() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- bit_count() exists from PostgreSQL 14.
  SELECT CASE WHEN current_setting('server_version_num')::integer >= 140000
    THEN 'bit_count(partition_keys)::integer'
    ELSE 'length(replace(partition_keys::text, ''0'', ''''))'
  END
$$;
COMMENT ON FUNCTION {{schema}}.set_bits_expression IS
  'SQL expression that counts the set bits of a bit cache row on this server.';
REVOKE ALL ON FUNCTION {{schema}}.set_bits_expression FROM PUBLIC;
