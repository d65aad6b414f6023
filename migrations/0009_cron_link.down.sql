DROP FUNCTION {{schema}}.check_cron_link;
DROP FUNCTION {{schema}}.query_cron_link;
DROP FUNCTION {{schema}}.cron_link_limits;
DROP FUNCTION {{schema}}.cron_link_connection;
DROP FUNCTION {{schema}}.drop_cron_link;
DROP TABLE {{schema}}.cron_link;
