CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_setup_array_extensions() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema CONSTANT text := quote_ident({{client_schema:literal}});
  v_owner oid := (
    SELECT proowner FROM pg_proc
    WHERE oid = to_regprocedure(v_schema || '.array_intersect_agg(anyarray)'));
BEGIN
  IF v_owner IS NULL THEN
    CREATE AGGREGATE {{client_schema}}.array_intersect_agg(anyarray)
      (SFUNC = {{client_schema}}.partitioncache_array_intersect, STYPE = anyarray);
  ELSIF v_owner <> current_user::regrole AND NOT pg_has_role(
      v_owner,
      (SELECT proowner FROM pg_proc
       WHERE oid = to_regprocedure(v_schema || '.partitioncache_setup_array_extensions()')),
      'MEMBER')
  THEN
    -- Anybody who may create in the schema can make one, which would run with our caller's rights.
    RAISE EXCEPTION 'array_intersect_agg(anyarray) in schema % is of role %, and not used',
      v_schema, v_owner::regrole
      USING ERRCODE = 'wrong_object_type',
            HINT = format('Find out who made it and why, then: '
                          'DROP ROUTINE %s.array_intersect_agg(anyarray);', v_schema);
  END IF;
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'intarray') THEN
    RETURN true;
  END IF;
  BEGIN
    CREATE EXTENSION IF NOT EXISTS intarray SCHEMA {{client_schema}};
    RETURN true;
  EXCEPTION
    -- Without the package, or the right to create the extension, there
    -- is no intarray, and the result says so.
    WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
      RETURN false;
  END;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_setup_array_extensions() IS
  'Returns whether the extension intarray is present, after trying to create it. Also makes sure '
  'that the aggregate array_intersect_agg exists. Raises 42809 where that is neither the caller''s '
  'nor of somebody with the rights of this function''s owner. Part of the clients'' contract.';
