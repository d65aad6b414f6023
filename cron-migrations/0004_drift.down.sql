DROP FUNCTION {{cron_schema}}.drift(jsonb);
