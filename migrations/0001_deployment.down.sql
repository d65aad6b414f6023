DROP FUNCTION {{schema}}.is_last_deployment();
DROP FUNCTION {{schema}}.deployment_schemas();
DROP TABLE {{schema}}.settings;
DROP TABLE {{schema}}.deployment;
REVOKE USAGE ON SCHEMA {{schema}} FROM {{cron_role}}, {{client_role}};
