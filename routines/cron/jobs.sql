CREATE OR REPLACE VIEW {{cron_schema}}.jobs AS SELECT * FROM {{cron_schema}}.job_rows();
COMMENT ON VIEW {{cron_schema}}.jobs IS
  'This deployment''s jobs with their last run, next run, average duration of the successful runs, '
  'and failures (as far back as the history is kept).';
GRANT SELECT ON {{cron_schema}}.jobs TO {{migrator_role}};
