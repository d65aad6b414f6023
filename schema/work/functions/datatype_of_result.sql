CREATE FUNCTION partitioncache.datatype_of_result(p_type oid) RETURNS text
    LANGUAGE plpgsql STABLE STRICT
    SET search_path TO 'pg_catalog', 'pg_temp'
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

COMMENT ON FUNCTION partitioncache.datatype_of_result(p_type oid) IS 'The clients'' datatype (integer, float, text, timestamp) for a fragment that returns this type; NULL when the type cannot be a partition key.';

REVOKE ALL ON FUNCTION partitioncache.datatype_of_result(p_type oid) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.datatype_of_result(p_type oid) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.datatype_of_result(p_type oid) TO client_role;
