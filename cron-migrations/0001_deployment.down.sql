DROP TABLE {{cron_schema}}.deployment;
REVOKE USAGE ON SCHEMA {{cron_schema}} FROM {{migrator_role}};
