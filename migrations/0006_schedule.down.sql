DROP FUNCTION {{schema}}.cron_schedule;
DROP FUNCTION {{schema}}.start_interval;
DROP FUNCTION {{schema}}.cron_takes_seconds;
