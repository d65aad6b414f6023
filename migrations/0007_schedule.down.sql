DROP FUNCTION {{schema}}.cron_schedule(integer);
DROP FUNCTION {{schema}}.start_interval(integer, text);
DROP FUNCTION {{schema}}.cron_takes_seconds(text);
