CREATE FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
  v_item "partitioncache".batch_item := p_item;
  v_fragment text := rtrim(p_item.query, E'; \t\n\r\f\v') || E'\n'; -- as fragment_text()
  v_is_closed boolean;
  v_found record;
  v_fits boolean;
  v_evaluated boolean := false;
  v_state text;
  v_message text;
BEGIN
  v_result.started_at := clock_timestamp();
  BEGIN
    IF v_item.datatype IS NULL THEN
      v_item.datatype := "partitioncache".datatype_for(p_item);
    END IF;
    -- Without a semicolon there is no second statement, without a parenthesis none to close.
    v_is_closed := v_fragment !~ '[;()]' OR "partitioncache".is_plainly_closed(v_fragment);
    -- One key more than allowed is enough to know that there are too many.
    v_found := "partitioncache".run_fragment(
      v_fragment, v_is_closed, v_item.datatype, p_result_limit::bigint + 1);
    v_evaluated := true;
  EXCEPTION
    WHEN serialization_failure OR deadlock_detected OR lock_not_available THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_result.outcome := 'put_back';
      v_result.error := format('%s: %s', v_state, v_message);
    WHEN OTHERS OR assert_failure THEN
      GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
      v_result.outcome := 'failed';
      v_result.error := "partitioncache".reason_of_failure(v_item, v_state, v_message);
  END;
  v_result.item := v_item;
  v_result.ended_at := clock_timestamp();
  IF v_evaluated THEN
    v_result.result_type := v_found.result_type;
    v_result.bigint_keys := v_found.bigint_keys;
    v_result.numeric_keys := v_found.numeric_keys;
    v_result.text_keys := v_found.text_keys;
    v_result.timestamp_keys := v_found.timestamp_keys;
    -- The array types, by their oid, that need no second look: their elements are kept as they are.
    CASE v_item.datatype
      WHEN 'integer' THEN
        v_result.rows_found := cardinality(v_result.bigint_keys);
        v_fits := v_result.result_type IN (1005, 1007, 1016) -- smallint, integer, bigint
          AND array_ndims(v_result.bigint_keys) = 1;
      WHEN 'float' THEN
        v_result.rows_found := cardinality(v_result.numeric_keys);
        v_fits := v_result.result_type = 1231 -- numeric
          AND array_ndims(v_result.numeric_keys) = 1;
      WHEN 'text' THEN
        v_result.rows_found := cardinality(v_result.text_keys);
        v_fits := v_result.result_type IN (1009, 1015) -- text, character varying
          AND array_ndims(v_result.text_keys) = 1;
      WHEN 'timestamp' THEN
        v_result.rows_found := cardinality(v_result.timestamp_keys);
        v_fits := v_result.result_type = 1115 -- timestamp without time zone
          AND array_ndims(v_result.timestamp_keys) = 1;
    END CASE;
    v_result.outcome := 'ok';
    IF v_fits IS NOT TRUE THEN
      v_result := "partitioncache".fit_to_datatype(v_result);
    END IF;
    IF v_result.rows_found > p_result_limit THEN
      v_result.outcome := 'limit';
    END IF;
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) IS 'Runs one fragment (a single SELECT of one column) read-only. outcome of the result: ok, limit (one key more than p_result_limit), failed, or put_back (a conflict with others); its item has the partition''s datatype. Nothing else of the fragment survives. Raises query_canceled only.';

REVOKE ALL ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.evaluate_item(p_item partitioncache.batch_item, p_result_limit integer) TO client_role;
