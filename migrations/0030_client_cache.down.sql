-- Shared with the other deployments of this database: the last one drops them.
DO $drop$
BEGIN
  IF NOT {{schema}}.is_last_deployment() THEN
    RETURN;
  END IF;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_queue_and_cache_info;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_cleanup_cached_queue_items;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_create_bitsize_trigger;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_bootstrap_partition;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_ensure_metadata_tables;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_find_deployment;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_deployments;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_queries_table_name;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_metadata_table_name;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_cache_table_name;
END
$drop$;
