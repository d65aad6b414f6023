CREATE FUNCTION partitioncache.require_closed(p_fragment text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  v_cursor refcursor;
BEGIN
  IF NOT "partitioncache".is_plainly_closed(p_fragment) THEN
    -- A cursor takes exactly one whole statement that returns rows. Opening it parses and plans, and runs nothing.
    OPEN v_cursor FOR EXECUTE p_fragment;
    CLOSE v_cursor;
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.require_closed(p_fragment text) IS 'Raises what PostgreSQL says unless the text is, on its own, one statement that returns rows, so that parentheses around it hold.';

REVOKE ALL ON FUNCTION partitioncache.require_closed(p_fragment text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.require_closed(p_fragment text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.require_closed(p_fragment text) TO client_role;
