CREATE OR REPLACE FUNCTION {{cron_schema}}.is_of_another(p_database text, p_command text)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
  v_is_own boolean;
BEGIN
  -- Only functions of the cron role itself, as whom this runs: anybody can give that name to one.
  FOR v_schema IN
    SELECT nspname
    FROM pg_proc
    JOIN pg_namespace ON pg_namespace.oid = pronamespace
    JOIN pg_roles ON pg_roles.oid = proowner
    WHERE proname = 'is_own' AND oidvectortypes(proargtypes) = 'text, text'
      AND rolname = current_user AND nspname <> {{cron_schema:literal}}
  LOOP
    EXECUTE format('SELECT %I.is_own($1, $2)', v_schema) INTO v_is_own USING p_database, p_command;
    IF v_is_own THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END
$$;
COMMENT ON FUNCTION {{cron_schema}}.is_of_another IS
  'Whether a job with this database and command belongs to another deployment of the same cron '
  'role, such as a second one in the same work database.';
REVOKE ALL ON FUNCTION {{cron_schema}}.is_of_another FROM PUBLIC;
