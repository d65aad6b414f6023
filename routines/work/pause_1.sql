CREATE OR REPLACE FUNCTION {{schema}}.pause_1(p_reason text, p_host text DEFAULT NULL)
RETURNS boolean
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT {{schema}}.place_hold('pause', p_reason, p_host, false)
$$;
COMMENT ON FUNCTION {{schema}}.pause_1 IS
  'Stops all processing until resume_1: runs end within about a second, or with the fragment that '
  'they evaluate. Returns false where it was paused already, and then keeps that reason. Contract '
  '1: name, arguments and result stay, for other versions of pcache-migrate.';
REVOKE ALL ON FUNCTION {{schema}}.pause_1 FROM PUBLIC;
