CREATE OR REPLACE FUNCTION {{schema}}.is_last_deployment() RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_client_schema text;
BEGIN
  FOR v_schema IN
    SELECT nspname FROM {{schema}}.deployment_schemas() AS nspname
    -- Nothing that another migrator deployed is shared with us: the functions have one owner.
    WHERE pg_has_role(
      (SELECT relowner FROM pg_class
       WHERE relname = 'deployment' AND relnamespace = quote_ident(nspname)::regnamespace),
      'USAGE')
  LOOP
    EXECUTE format('SELECT client_schema FROM %I.deployment', v_schema) INTO v_client_schema;
    IF v_schema <> {{schema:literal}} AND v_client_schema = {{client_schema:literal}} THEN
      RETURN false;
    END IF;
  END LOOP;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.is_last_deployment IS
  'Whether no other deployment of this database shares the clients'' schema, so that the shared '
  'objects may be dropped with this one.';
REVOKE ALL ON FUNCTION {{schema}}.is_last_deployment FROM PUBLIC;
