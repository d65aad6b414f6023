CREATE OR REPLACE FUNCTION {{schema}}.cron_takes_seconds(p_pg_cron_version text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT (string_to_array(
    substring(p_pg_cron_version FROM '^[0-9]+(?:[.][0-9]+)*'), '.'))::integer[] >= ARRAY[1, 5]
$$;
COMMENT ON FUNCTION {{schema}}.cron_takes_seconds IS
  'Whether this version of pg_cron (such as 1.4-1 or 1.6) accepts schedules in seconds.';
REVOKE ALL ON FUNCTION {{schema}}.cron_takes_seconds FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.cron_takes_seconds TO {{cron_role}};
