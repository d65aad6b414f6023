CREATE OR REPLACE VIEW {{schema}}.processor_status AS
  SELECT * FROM {{schema}}.processor_status_rows();
COMMENT ON VIEW {{schema}}.processor_status IS
  'Each processor with its settings, the length of the queue, how many of its runs are evaluating '
  'a fragment, and its results of the last hour.';
GRANT SELECT ON {{schema}}.processor_status TO {{client_role}}, {{cron_role}};
