CREATE FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) RETURNS text
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
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
      PERFORM "partitioncache".require_datatype("partitioncache".probe_fragment(p_item.query), p_item.datatype);
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

COMMENT ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) IS 'The SQLSTATE and message, for the log, of an error that a fragment raised.';

REVOKE ALL ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.reason_of_failure(p_item partitioncache.batch_item, p_state text, p_message text) TO client_role;
