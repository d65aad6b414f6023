CREATE SCHEMA partitioncache;

GRANT USAGE ON SCHEMA partitioncache TO cron_role;
GRANT USAGE ON SCHEMA partitioncache TO client_role;
