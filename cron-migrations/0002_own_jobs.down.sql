DROP FUNCTION {{cron_schema}}.desired_job_rows;
DROP FUNCTION {{cron_schema}}.own_jobs;
DROP FUNCTION {{cron_schema}}.is_own;
