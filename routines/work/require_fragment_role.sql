-- A dump that is restored without its owners, or REASSIGN OWNED, gives run_fragment to somebody
-- else, perhaps a superuser, and each fragment his rights with it.
CREATE OR REPLACE FUNCTION {{schema}}.require_fragment_role() RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_role CONSTANT text := (SELECT fragment_role FROM {{schema}}.service);
  v_found text := (
    SELECT CASE WHEN prosecdef THEN pg_get_userbyid(proowner) END
    FROM pg_proc
    WHERE proname = 'run_fragment'
      AND pronamespace = quote_ident({{schema:literal}})::regnamespace);
BEGIN
  IF v_found IS DISTINCT FROM v_role THEN
    RAISE EXCEPTION 'fragments would run as %, not as %',
      coalesce(format('role "%s"', v_found), 'the caller'),
      coalesce(format('role "%s"', v_role), 'the caller')
      USING ERRCODE = 'invalid_authorization_specification',
            HINT = format(
              'Somebody has changed the function run_fragment, as a restore without owners does. '
              'As the migrator: SELECT %I.set_fragment_role(%L);', {{schema:literal}}, v_role);
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_fragment_role IS
  'Raises 28000 unless fragments have the rights of the fragment role that is recorded for this '
  'deployment, or of their caller where none is.';
REVOKE ALL ON FUNCTION {{schema}}.require_fragment_role FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_fragment_role TO {{cron_role}}, {{client_role}};
