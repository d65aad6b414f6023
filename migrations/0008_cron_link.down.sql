SELECT {{schema}}.drop_cron_link();
DROP FUNCTION {{schema}}.check_cron_link;
DROP FUNCTION {{schema}}.query_cron_link;
DROP FUNCTION {{schema}}.set_cron_link;
DROP FUNCTION {{schema}}.drop_cron_link;
DROP FUNCTION {{schema}}.cron_link_name;
