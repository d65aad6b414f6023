CREATE OR REPLACE FUNCTION {{schema}}.cron_link_name() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- The names of foreign servers are unique in a database; the schema in the name keeps those of
  -- two deployments apart.
  SELECT {{schema:literal}} || '_cron'
$$;
COMMENT ON FUNCTION {{schema}}.cron_link_name IS
  'Name of the foreign server that leads to the pg_cron database.';
REVOKE ALL ON FUNCTION {{schema}}.cron_link_name FROM PUBLIC;
