CREATE OR REPLACE FUNCTION {{schema}}.running_class() RETURNS integer
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN (quote_ident({{schema:literal}}) || '.batch')::regclass::oid::integer;
END
$$;
COMMENT ON FUNCTION {{schema}}.running_class IS
  'First key of the advisory locks that say what a run is evaluating. The second key is the '
  'queue id of the fragment that began the transaction; a lock with second key 0 is held as '
  'well once a later fragment is being evaluated.';
REVOKE ALL ON FUNCTION {{schema}}.running_class FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.running_class TO {{cron_role}}, {{client_role}};
