CREATE VIEW partitioncache.service AS
 SELECT deployment.client_schema,
    deployment.queue_prefix,
    deployment.table_prefix,
    deployment.cache_backend,
    deployment.fragment_role,
    settings.max_attempts,
    settings.retry_backoff_seconds,
    settings.max_slots
   FROM partitioncache.deployment,
    partitioncache.settings;

COMMENT ON VIEW partitioncache.service IS 'What functions that run with the rights of a client need to know of the deployment and its settings (one row).';

GRANT SELECT ON TABLE partitioncache.service TO client_role;
GRANT SELECT ON TABLE partitioncache.service TO cron_role;
