CREATE OR REPLACE VIEW {{schema}}.processor_status AS SELECT * FROM {{schema}}.processor_status_rows();
COMMENT ON VIEW {{schema}}.processor_status IS
  'Each processor with its settings, the queue''s length, what it works on and what came of the last hour.';
GRANT SELECT ON {{schema}}.processor_status TO {{client_role}}, {{cron_role}};
