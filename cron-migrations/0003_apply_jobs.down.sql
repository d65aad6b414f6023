-- Without this function nothing could remove the jobs.
SELECT {{cron_schema}}.apply_jobs('[]');
DROP FUNCTION {{cron_schema}}.apply_jobs;
DROP FUNCTION {{cron_schema}}.check_desired_jobs;
