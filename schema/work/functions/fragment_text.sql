CREATE FUNCTION partitioncache.fragment_text(p_query text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  -- The line break ends a trailing comment; a trailing semicolon is a habit, no second statement.
  RETURN rtrim(p_query, E'; \t\n\r\f\v') || E'\n';
END
$$;

COMMENT ON FUNCTION partitioncache.fragment_text(p_query text) IS 'A fragment in the form that is put between parentheses.';

REVOKE ALL ON FUNCTION partitioncache.fragment_text(p_query text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.fragment_text(p_query text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.fragment_text(p_query text) TO client_role;
