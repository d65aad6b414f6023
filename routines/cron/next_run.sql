CREATE OR REPLACE FUNCTION {{cron_schema}}.next_run(p_schedule text, p_last_end timestamptz)
RETURNS timestamptz
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH clock AS (
    SELECT zone, date_trunc('day', now() AT TIME ZONE zone) AS midnight,
           extract(epoch FROM (now() AT TIME ZONE zone)
                              - date_trunc('day', now() AT TIME ZONE zone)) AS seconds
    -- Only privileged roles may read the setting; GMT is its default.
    FROM (
      SELECT coalesce(
        CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
          THEN current_setting('cron.timezone', true)
        END,
        'GMT') AS zone
    ) AS setting
  ),
  rule AS (
    SELECT CASE
             WHEN p_schedule = '* * * * *' THEN 60
             WHEN p_schedule ~ '^[*]/[0-9]+ [*] [*] [*] [*]$'
               THEN substring(p_schedule FROM '[0-9]+')::integer * 60
             WHEN p_schedule ~ '^[0-9]+ [*] [*] [*] [*]$' THEN 3600
             WHEN p_schedule ~ '^0 [*]/[0-9]+ [*] [*] [*]$'
               THEN substring(p_schedule FROM '/([0-9]+)')::integer * 3600
             WHEN p_schedule ~ '^[0-9]+ [0-9]+ [*] [*] [*]$' THEN 86400
           END AS step,
           CASE WHEN p_schedule ~ '^[0-9]+ [0-9]+ [*] [*] [*]$'
             THEN split_part(p_schedule, ' ', 1)::integer * 60
                  + split_part(p_schedule, ' ', 2)::integer * 3600
             WHEN p_schedule ~ '^[0-9]+ [*] [*] [*] [*]$'
               THEN split_part(p_schedule, ' ', 1)::integer * 60
             ELSE 0
           END AS first
  )
  SELECT CASE
    WHEN p_schedule ~ '^[0-9]+ seconds$'
      THEN greatest(p_last_end + split_part(p_schedule, ' ', 1)::integer * interval '1 s', now())
    ELSE
      (midnight + make_interval(secs => (floor((seconds - first) / step) + 1) * step + first))
        AT TIME ZONE zone
  END
  FROM clock, rule
$$;
COMMENT ON FUNCTION {{cron_schema}}.next_run IS
  'When pg_cron next starts a job, for the schedules that this package writes (NULL for others). '
  'p_last_end is the end of its last run. Hours are in GMT unless the cron role may read '
  'cron.timezone.';
REVOKE ALL ON FUNCTION {{cron_schema}}.next_run FROM PUBLIC;
