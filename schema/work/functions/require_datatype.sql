CREATE FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_datatype text := "partitioncache".datatype_of_result(p_type);
BEGIN
  -- A numeric set holds whole numbers exactly; any other mismatch
  -- would round or rewrite the keys.
  IF v_datatype = p_datatype OR (v_datatype = 'integer' AND p_datatype = 'float') THEN
    RETURN;
  END IF;
  RAISE EXCEPTION 'the fragment returns %, but the partition key holds %',
    format_type(p_type, NULL), coalesce(p_datatype, 'integer, float, text or timestamp')
    USING ERRCODE = 'datatype_mismatch',
          HINT = 'Partition keys are integer, float, text or timestamp; '
                 'cast the column in the fragment.';
END
$$;

COMMENT ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) IS 'Raises 42804 when a partition of this datatype cannot hold keys of this type without loss.';

REVOKE ALL ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.require_datatype(p_type oid, p_datatype text) TO client_role;
