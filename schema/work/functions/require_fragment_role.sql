CREATE FUNCTION partitioncache.require_fragment_role() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_role CONSTANT text := (SELECT fragment_role FROM "partitioncache".service);
  v_found text := (
    SELECT CASE WHEN prosecdef THEN pg_get_userbyid(proowner) END
    FROM pg_proc
    WHERE proname = 'run_fragment'
      AND pronamespace = quote_ident('partitioncache')::regnamespace);
BEGIN
  IF v_found IS DISTINCT FROM v_role THEN
    RAISE EXCEPTION 'fragments would run as %, not as %',
      coalesce(format('role "%s"', v_found), 'the caller'),
      coalesce(format('role "%s"', v_role), 'the caller')
      USING ERRCODE = 'invalid_authorization_specification',
            HINT = format(
              'Somebody has changed the function run_fragment, as a restore without owners does. '
              'As the migrator: SELECT %I.set_fragment_role(%L);', 'partitioncache', v_role);
  END IF;
END
$$;

COMMENT ON FUNCTION partitioncache.require_fragment_role() IS 'Raises 28000 unless fragments have the rights of the fragment role that is recorded for this deployment, or of their caller where none is.';

REVOKE ALL ON FUNCTION partitioncache.require_fragment_role() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.require_fragment_role() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.require_fragment_role() TO client_role;
