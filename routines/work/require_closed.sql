-- The tables that the text names are in the clients' schema; nothing else is looked up here.
CREATE OR REPLACE FUNCTION {{schema}}.require_closed(p_fragment text) RETURNS void
LANGUAGE plpgsql
SET search_path = {{client_schema}}, pg_temp
AS $$
DECLARE
  v_cursor refcursor;
BEGIN
  IF NOT {{schema}}.is_plainly_closed(p_fragment) THEN
    -- A cursor takes exactly one whole statement that returns rows. Opening it parses and
    -- plans the statement, but runs nothing.
    OPEN v_cursor FOR EXECUTE p_fragment;
    CLOSE v_cursor;
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_closed IS
  'Raises PostgreSQL''s own error unless the text is by itself one statement that returns rows, '
  'so that it cannot break out of parentheses around it.';
REVOKE ALL ON FUNCTION {{schema}}.require_closed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_closed TO {{cron_role}}, {{client_role}};
