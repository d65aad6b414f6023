CREATE OR REPLACE FUNCTION {{schema}}.start_interval(
  p_frequency_seconds integer, p_pg_cron_version text
) RETURNS integer
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN p_frequency_seconds < 60
      AND coalesce({{schema}}.cron_takes_seconds(p_pg_cron_version), false)
      THEN p_frequency_seconds
    -- A cron expression repeats evenly only minutes that divide an
    -- hour and hours that divide a day.
    ELSE coalesce(
      (SELECT max(step)
       FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30,
                         60, 120, 180, 240, 360, 480, 720, 1440]) AS minutes,
            LATERAL (SELECT minutes * 60 AS step) AS steps
       WHERE p_frequency_seconds % step = 0),
      60)
  END
$$;
COMMENT ON FUNCTION {{schema}}.start_interval IS
  'The seconds between two starts by pg_cron of a slot whose frequency is p_frequency_seconds: '
  'the coarsest step that pg_cron can express and that divides the frequency, or else a minute.';
REVOKE ALL ON FUNCTION {{schema}}.start_interval FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.start_interval TO {{cron_role}};
