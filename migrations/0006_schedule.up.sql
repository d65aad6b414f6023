-- Turns a frequency in seconds into a pg_cron schedule. pg_cron takes cron expressions, and
-- since 1.5 also '1 seconds' to '59 seconds'. A frequency that neither can express starts at a
-- finer step, and the run waits for the rest.

--! routine cron_takes_seconds
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
--! end

--! routine start_interval
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
--! end

--! routine cron_schedule
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
--! end
