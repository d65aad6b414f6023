DROP FUNCTION {{schema}}.desired_jobs;
DROP FUNCTION {{schema}}.watches_always;
DROP FUNCTION {{schema}}.cron_job_name;
DROP FUNCTION {{schema}}.first_bytes;
