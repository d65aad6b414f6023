CREATE OR REPLACE FUNCTION {{schema}}.fragment_text(p_query text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- The line break ends a trailing comment; a trailing semicolon is a habit, no second statement.
  RETURN rtrim(p_query, E'; \t\n\r\f\v') || E'\n';
END
$$;
COMMENT ON FUNCTION {{schema}}.fragment_text IS
  'A fragment in the form that is put between parentheses.';
REVOKE ALL ON FUNCTION {{schema}}.fragment_text FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.fragment_text TO {{cron_role}}, {{client_role}};
