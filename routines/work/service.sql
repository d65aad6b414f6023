CREATE OR REPLACE VIEW {{schema}}.service AS
  SELECT deployment.client_schema, deployment.queue_prefix, deployment.table_prefix,
         deployment.cache_backend, deployment.fragment_role, settings.max_attempts,
         settings.retry_backoff_seconds, settings.max_slots
  FROM {{schema}}.deployment, {{schema}}.settings;
COMMENT ON VIEW {{schema}}.service IS
  'What functions that run with the rights of a client need to know of the deployment and its '
  'settings (one row).';
GRANT SELECT ON {{schema}}.service TO {{client_role}}, {{cron_role}};
