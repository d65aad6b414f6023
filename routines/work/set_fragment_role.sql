CREATE OR REPLACE FUNCTION {{schema}}.set_fragment_role(p_role text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_schema CONSTANT name := {{schema:literal}};
  v_migrator CONSTANT name := (
    SELECT pg_get_userbyid(relowner)
    FROM pg_class
    WHERE relname = 'deployment' AND relnamespace = quote_ident(c_schema)::regnamespace);
BEGIN
  IF p_role IS NULL THEN
    -- First of all it must stop to be SECURITY DEFINER: never let fragments have our rights.
    ALTER FUNCTION {{schema}}.run_fragment SECURITY INVOKER;
    EXECUTE format('ALTER FUNCTION %I.run_fragment OWNER TO %I', c_schema, v_migrator);
  ELSE
    IF EXISTS (
      SELECT FROM pg_roles
      WHERE rolname = p_role
        AND (rolsuper OR rolcanlogin OR rolname = v_migrator
             OR EXISTS (SELECT FROM {{schema}}.deployment
                        WHERE p_role IN (cron_role, client_role))))
    THEN
      RAISE EXCEPTION 'role "%" cannot be the fragment role', p_role
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'It must be a role of its own, without LOGIN and SUPERUSER.';
    END IF;
    -- A function's owner needs CREATE on its schema, at the moment when he becomes that.
    EXECUTE format('GRANT CREATE ON SCHEMA %I TO %I', c_schema, p_role);
    EXECUTE format('ALTER FUNCTION %I.run_fragment OWNER TO %I', c_schema, p_role);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', c_schema, p_role);
    ALTER FUNCTION {{schema}}.run_fragment SECURITY DEFINER;
  END IF;
  UPDATE {{schema}}.deployment SET fragment_role = p_role
  WHERE fragment_role IS DISTINCT FROM p_role;
END
$$;
COMMENT ON FUNCTION {{schema}}.set_fragment_role IS
  'From the next fragment on, fragments have the rights of role p_role; with NULL, those of '
  'whoever runs the processor. The caller must own this schema and be a member of p_role. '
  'Raises 22023 for a role that may log in, is a superuser or has another part in the deployment, '
  '42704 for an unknown one, 42501 for one that the caller is no member of.';
REVOKE ALL ON FUNCTION {{schema}}.set_fragment_role FROM PUBLIC;
