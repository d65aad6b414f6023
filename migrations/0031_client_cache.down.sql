-- Shared with the other deployments of this database: the last one drops them.
DO $drop$
BEGIN
  IF NOT {{schema}}.is_last_deployment() THEN
    RETURN;
  END IF;
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_queue_and_cache_info(text, text);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_cleanup_cached_queue_items(
    text, text, integer);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_create_bitsize_trigger(text);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_bootstrap_partition(
    text, text, text, text, integer);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_ensure_metadata_tables(text);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_find_deployment(text);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_deployments();
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_queries_table_name(text);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_metadata_table_name(text);
  DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_get_cache_table_name(text, text);
END
$drop$;
