DROP FUNCTION {{cron_schema}}.drift;
