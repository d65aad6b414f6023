CREATE FUNCTION partitioncache.require_closed(p_fragment text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  v_cursor refcursor;
BEGIN
  IF NOT "partitioncache".is_plainly_closed(p_fragment) THEN
    -- A cursor takes exactly one whole statement that returns rows. Opening it parses and
    -- plans the statement, but runs nothing.
    OPEN v_cursor FOR EXECUTE p_fragment;
    CLOSE v_cursor;
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.require_closed(p_fragment text) IS 'Raises PostgreSQL''s own error unless the text is by itself one statement that returns rows, so that it cannot break out of parentheses around it.';

REVOKE ALL ON FUNCTION partitioncache.require_closed(p_fragment text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.require_closed(p_fragment text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.require_closed(p_fragment text) TO client_role;
