CREATE OR REPLACE VIEW {{cron_schema}}.job_runs AS SELECT * FROM {{cron_schema}}.job_run_rows();
COMMENT ON VIEW {{cron_schema}}.job_runs IS
  'The run history of this deployment''s jobs, with their names.';
GRANT SELECT ON {{cron_schema}}.job_runs TO {{migrator_role}};
