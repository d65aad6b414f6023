CREATE OR REPLACE FUNCTION {{schema}}.datatype_for(p_item {{schema}}.batch_item) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_type oid;
  v_datatype text;
BEGIN
  IF (SELECT cache_backend FROM {{schema}}.service) <> 'array' THEN
    -- The positions of bits are numbers, so no other keys fit.
    RETURN 'integer';
  END IF;
  v_type := {{schema}}.probe_fragment(p_item.query);
  v_datatype := coalesce(p_item.queue_datatype, {{schema}}.datatype_of_result(v_type));
  PERFORM {{schema}}.require_datatype(v_type, v_datatype);
  RETURN v_datatype;
END
$$;
COMMENT ON FUNCTION {{schema}}.datatype_for IS
  'The datatype of the new partition that a fragment belongs to: the one that the client gave, '
  'else the one that the fragment returns. Raises 42804 when the two are incompatible.';
REVOKE ALL ON FUNCTION {{schema}}.datatype_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.datatype_for TO {{cron_role}}, {{client_role}};
