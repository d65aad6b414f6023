CREATE OR REPLACE FUNCTION {{schema}}.require_datatype(p_type oid, p_datatype text) RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_datatype text := {{schema}}.datatype_of_result(p_type);
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
COMMENT ON FUNCTION {{schema}}.require_datatype IS
  'Raises 42804 when a partition of this datatype cannot hold keys of this type without loss.';
REVOKE ALL ON FUNCTION {{schema}}.require_datatype FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_datatype TO {{cron_role}}, {{client_role}};
