CREATE OR REPLACE FUNCTION {{schema}}.is_held() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM {{schema}}.holds_1);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_held IS
  'Whether nothing may be processed at this moment, because somebody paused or because up or down '
  'is at work. Runs ask at each step.';
REVOKE ALL ON FUNCTION {{schema}}.is_held FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_held TO {{cron_role}}, {{client_role}};
