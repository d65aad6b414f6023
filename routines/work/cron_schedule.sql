CREATE OR REPLACE FUNCTION {{schema}}.cron_schedule(p_start_interval integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN p_start_interval < 60 THEN p_start_interval || ' seconds'
    WHEN p_start_interval = 60 THEN '* * * * *'
    WHEN p_start_interval < 3600 THEN format('*/%s * * * *', p_start_interval / 60)
    WHEN p_start_interval = 3600 THEN '0 * * * *'
    WHEN p_start_interval < 86400 THEN format('0 */%s * * *', p_start_interval / 3600)
    ELSE '0 0 * * *'
  END
$$;
COMMENT ON FUNCTION {{schema}}.cron_schedule IS
  'The pg_cron schedule that starts a job every p_start_interval seconds (a result of '
  'start_interval).';
REVOKE ALL ON FUNCTION {{schema}}.cron_schedule FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.cron_schedule TO {{cron_role}};
