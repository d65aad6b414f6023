-- Determines, from the type that a fragment returns, the datatype that its partition holds.

--! routine datatype_of_result
CREATE OR REPLACE FUNCTION {{schema}}.datatype_of_result(p_type oid) RETURNS text
LANGUAGE plpgsql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_type oid := p_type;
  v_base oid;
BEGIN
  LOOP
    CASE format_type(v_type, NULL)
      WHEN 'integer', 'bigint', 'smallint' THEN RETURN 'integer';
      WHEN 'numeric', 'real', 'double precision' THEN RETURN 'float';
      WHEN 'text', 'character varying', 'character', 'bpchar', 'name', 'uuid' THEN RETURN 'text';
      WHEN 'date', 'timestamp without time zone', 'timestamp with time zone' THEN
        RETURN 'timestamp';
      ELSE
        -- A domain counts as the type that it is based on.
        SELECT typbasetype INTO v_base FROM pg_type WHERE oid = v_type AND typtype = 'd';
        IF NOT FOUND THEN
          RETURN NULL;
        END IF;
        v_type := v_base;
    END CASE;
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.datatype_of_result IS
  'The clients'' datatype (integer, float, text, timestamp) for a fragment that returns this type; '
  'NULL when the type cannot be a partition key.';
REVOKE ALL ON FUNCTION {{schema}}.datatype_of_result FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.datatype_of_result TO {{cron_role}}, {{client_role}};
--! end

--! routine require_datatype
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
--! end
