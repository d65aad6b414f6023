CREATE OR REPLACE FUNCTION {{schema}}.check_cron_link() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.query_cron_link(
    format(
      'SELECT to_jsonb(work_database) FROM %I.deployment',
      (SELECT cron_schema FROM {{schema}}.deployment)));
END
$$;
COMMENT ON FUNCTION {{schema}}.check_cron_link IS
  'Raises unless the link to the pg_cron database works.';
REVOKE ALL ON FUNCTION {{schema}}.check_cron_link FROM PUBLIC;
