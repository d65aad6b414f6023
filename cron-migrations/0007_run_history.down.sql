DROP FUNCTION {{cron_schema}}.prune_job_runs;
