CREATE OR REPLACE FUNCTION {{schema}}.cron_link_name() RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Foreign servers are named per database; the schema keeps two deployments of one database apart.
  SELECT {{schema:literal}} || '_cron'
$$;
COMMENT ON FUNCTION {{schema}}.cron_link_name IS 'Name of the foreign server that leads to the pg_cron database.';
REVOKE ALL ON FUNCTION {{schema}}.cron_link_name FROM PUBLIC;
