CREATE OR REPLACE FUNCTION {{schema}}.has_runs() RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM {{schema}}.batch) OR EXISTS (SELECT FROM {{active_jobs}})
$$;
COMMENT ON FUNCTION {{schema}}.has_runs IS
  'Whether there is anything to watch: claims, or work that is displayed.';
REVOKE ALL ON FUNCTION {{schema}}.has_runs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.has_runs TO {{cron_role}};
