CREATE FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result := p_result;
  v_dimensions integer := coalesce(
    array_ndims(p_result.bigint_keys), array_ndims(p_result.numeric_keys),
    array_ndims(p_result.text_keys), array_ndims(p_result.timestamp_keys));
BEGIN
  IF v_dimensions > 1 THEN
    RAISE EXCEPTION 'the fragment returns arrays, not keys' USING ERRCODE = 'datatype_mismatch';
  END IF;
  IF p_result.rows_found IS NULL THEN
    RAISE EXCEPTION
      'a key falls into an hour that time zone % has twice, and would be taken for another one',
      current_setting('TimeZone')
      USING ERRCODE = 'datatype_mismatch';
  END IF;
  PERFORM "partitioncache".require_datatype(
    (SELECT typelem FROM pg_type WHERE oid = p_result.result_type), (p_result.item).datatype);
  -- A cast may have made keys equal, or changed their order, as from character(3) or uuid to text.
  CASE (p_result.item).datatype
    WHEN 'float' THEN
      v_result.numeric_keys := ARRAY(
        SELECT DISTINCT key FROM unnest(p_result.numeric_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.numeric_keys);
    WHEN 'text' THEN
      v_result.text_keys := ARRAY(
        SELECT DISTINCT key FROM unnest(p_result.text_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.text_keys);
    WHEN 'timestamp' THEN
      v_result.timestamp_keys := ARRAY(
        SELECT DISTINCT key FROM unnest(p_result.timestamp_keys) AS key ORDER BY key);
      v_result.rows_found := cardinality(v_result.timestamp_keys);
    ELSE
      NULL;
  END CASE;
  RETURN v_result;
EXCEPTION
  WHEN datatype_mismatch THEN
    v_result.outcome := 'failed';
    v_result.error := '42804: ' || SQLERRM;
    v_result.rows_found := NULL;
    RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) IS 'The result of a fragment that is empty, or whose type is not one of its partition''s own: failed when the partition cannot keep it without loss, else with keys that are distinct and ascending in the type in which they are kept.';

REVOKE ALL ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.fit_to_datatype(p_result partitioncache.item_result) TO client_role;
