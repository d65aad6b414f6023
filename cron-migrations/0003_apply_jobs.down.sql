-- Without this function nothing could take the jobs away again.
SELECT {{cron_schema}}.apply_jobs('[]');
DROP FUNCTION {{cron_schema}}.apply_jobs;
