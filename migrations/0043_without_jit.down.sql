ALTER FUNCTION {{schema}}.desired_jobs() RESET jit;
-- Shared with the other deployments of this database: the last one takes it along.
DO $reset$
BEGIN
  IF {{schema}}.is_last_deployment() THEN
    ALTER FUNCTION {{client_schema}}.partitioncache_get_queue_and_cache_info(text, text) RESET jit;
  END IF;
END
$reset$;
