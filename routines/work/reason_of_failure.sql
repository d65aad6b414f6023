CREATE OR REPLACE FUNCTION {{schema}}.reason_of_failure(p_item {{schema}}.batch_item, p_state text, p_message text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_state text := p_state;
  v_message text := p_message;
BEGIN
  -- What cannot be cast, or be parsed where it is put, may be of another type, or have two columns: then say that.
  IF p_item.datatype IS NOT NULL AND p_state IN ('22P02', '22007', '22008', '22003', '42846', '42601') THEN
    BEGIN
      PERFORM {{schema}}.require_datatype({{schema}}.probe_fragment(p_item.query), p_item.datatype);
    EXCEPTION
      WHEN datatype_mismatch OR syntax_error THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      WHEN OTHERS OR assert_failure THEN
        -- The same again, or worse: the first error is the fragment's own.
        NULL;
    END;
  END IF;
  RETURN format('%s: %s', v_state, v_message);
END
$$;
COMMENT ON FUNCTION {{schema}}.reason_of_failure IS
  'SQLSTATE and message for the log, of an error that a fragment raised.';
REVOKE ALL ON FUNCTION {{schema}}.reason_of_failure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.reason_of_failure TO {{cron_role}}, {{client_role}};
