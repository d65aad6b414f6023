CREATE OR REPLACE FUNCTION {{schema}}.drop_cron_link() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('DROP SERVER IF EXISTS %I CASCADE', {{schema}}.cron_link_name());
END
$$;
COMMENT ON FUNCTION {{schema}}.drop_cron_link IS
  'Drops the foreign server to the pg_cron database and its user mapping.';
REVOKE ALL ON FUNCTION {{schema}}.drop_cron_link FROM PUBLIC;
