CREATE OR REPLACE FUNCTION {{schema}}.maintenance_goes_on(p_started timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT clock_timestamp() < p_started + ({{schema}}.clocks()).maintenance
    AND EXISTS (SELECT FROM {{processor_config}})
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_goes_on IS
  'Whether a maintenance run that started at p_started should look once more.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_goes_on FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_goes_on TO {{cron_role}};
