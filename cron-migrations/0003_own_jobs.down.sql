DROP FUNCTION {{cron_schema}}.alien_jobs;
DROP FUNCTION {{cron_schema}}.is_of_another;
DROP FUNCTION {{cron_schema}}.is_own_name;
DROP FUNCTION {{cron_schema}}.desired_job_rows;
DROP FUNCTION {{cron_schema}}.rest_schedule;
DROP FUNCTION {{cron_schema}}.own_jobs;
DROP FUNCTION {{cron_schema}}.is_own;
