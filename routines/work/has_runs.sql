CREATE OR REPLACE FUNCTION {{schema}}.has_runs() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM {{schema}}.batch) THEN
    RETURN true;
  END IF;
  PERFORM {{schema}}.hold_own_tables('read', {{active_jobs:literal}});
  RETURN EXISTS (SELECT FROM {{active_jobs}});
END
$$;
COMMENT ON FUNCTION {{schema}}.has_runs IS
  'Whether there is anything to watch: claims, or work that is displayed.';
REVOKE ALL ON FUNCTION {{schema}}.has_runs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.has_runs TO {{cron_role}};
