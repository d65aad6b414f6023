CREATE OR REPLACE FUNCTION {{schema}}.record_cron_side(
  p_transport text, p_pg_cron_version text, p_cron_database text
) RETURNS void
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE {{schema}}.deployment
  SET transport = p_transport, pg_cron_version = p_pg_cron_version,
      cron_database = p_cron_database,
      cron_database_before = CASE WHEN cron_database = p_cron_database THEN cron_database_before
                                  ELSE cron_database END
$$;
COMMENT ON FUNCTION {{schema}}.record_cron_side IS
  'Records how pg_cron is reached from now on (deploy, direct or link), its version and the '
  'database that it is in. Once the cron stream is rolled back: deploy, NULL, and where it was.';
REVOKE ALL ON FUNCTION {{schema}}.record_cron_side FROM PUBLIC;
