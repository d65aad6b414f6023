CREATE SCHEMA partitioncache_work_database;

GRANT USAGE ON SCHEMA partitioncache_work_database TO migrator;
