-- The tables of the text are those of the clients' schema; nothing else is looked up here.
CREATE OR REPLACE FUNCTION {{schema}}.require_closed(p_fragment text) RETURNS void
LANGUAGE plpgsql
SET search_path = {{client_schema}}, pg_temp
AS $$
DECLARE
  v_cursor refcursor;
BEGIN
  IF NOT {{schema}}.is_plainly_closed(p_fragment) THEN
    -- A cursor takes exactly one whole statement that returns rows. Opening it parses and plans, and runs nothing.
    OPEN v_cursor FOR EXECUTE p_fragment;
    CLOSE v_cursor;
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_closed IS
  'Raises what PostgreSQL says unless the text is, on its own, one statement that returns rows, so that parentheses around it hold.';
REVOKE ALL ON FUNCTION {{schema}}.require_closed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_closed TO {{cron_role}}, {{client_role}};
