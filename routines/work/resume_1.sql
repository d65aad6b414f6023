CREATE OR REPLACE FUNCTION {{schema}}.resume_1() RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{schema}}.release_hold('pause')
$$;
COMMENT ON FUNCTION {{schema}}.resume_1 IS
  'Ends a pause: what is enabled is processed again. Returns false where nothing was paused. Holds '
  'of others stay (holds_1). Contract 1: name, arguments and result stay, for other versions of '
  'pcache-migrate.';
REVOKE ALL ON FUNCTION {{schema}}.resume_1 FROM PUBLIC;
