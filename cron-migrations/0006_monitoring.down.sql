DROP VIEW {{cron_schema}}.job_runs;
DROP VIEW {{cron_schema}}.jobs;
DROP FUNCTION {{cron_schema}}.job_run_rows;
DROP FUNCTION {{cron_schema}}.job_rows;
DROP FUNCTION {{cron_schema}}.next_run;
