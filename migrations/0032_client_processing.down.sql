-- Shared with the other deployments of this database: the last one drops it.
DO $drop$
BEGIN
  IF {{schema}}.is_last_deployment() THEN
    DROP FUNCTION IF EXISTS {{client_schema}}.partitioncache_manual_process_queue(integer, text);
  END IF;
END
$drop$;
DROP FUNCTION {{schema}}.processor_named;
