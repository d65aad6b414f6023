CREATE OR REPLACE FUNCTION {{schema}}.reason_of_failure(
  p_item {{schema}}.batch_item, p_state text, p_message text
) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_state text := p_state;
  v_message text := p_message;
BEGIN
  -- A cast or syntax error may come from a fragment that returns
  -- another type or two columns. If so, say that.
  IF p_item.datatype IS NOT NULL
     AND p_state IN ('22P02', '22007', '22008', '22003', '42846', '42601') THEN
    BEGIN
      PERFORM {{schema}}.require_datatype({{schema}}.probe_fragment(p_item.query), p_item.datatype);
    EXCEPTION
      WHEN datatype_mismatch OR syntax_error THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      WHEN OTHERS OR assert_failure THEN
        -- The probe raised the same error, or a worse one. The first error
        -- is the fragment's own, so keep it.
        NULL;
    END;
  END IF;
  RETURN format('%s: %s', v_state, v_message);
END
$$;
COMMENT ON FUNCTION {{schema}}.reason_of_failure IS
  'The SQLSTATE and message, for the log, of an error that a fragment raised.';
REVOKE ALL ON FUNCTION {{schema}}.reason_of_failure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.reason_of_failure TO {{cron_role}}, {{client_role}};
