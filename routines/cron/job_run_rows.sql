CREATE OR REPLACE FUNCTION {{cron_schema}}.job_run_rows()
RETURNS TABLE (
  runid bigint, jobid bigint, job_name text, status text, return_message text,
  start_time timestamptz, end_time timestamptz, duration interval
)
LANGUAGE sql STABLE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT details.runid, details.jobid, own.job_name, details.status, details.return_message,
         details.start_time, details.end_time, details.end_time - details.start_time
  FROM cron.job_run_details AS details
  JOIN {{cron_schema}}.own_jobs() AS own ON own.jobid = details.jobid
$$;
COMMENT ON FUNCTION {{cron_schema}}.job_run_rows IS
  'What the view job_runs shows, with the rights of the cron role.';
REVOKE ALL ON FUNCTION {{cron_schema}}.job_run_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{cron_schema}}.job_run_rows TO {{migrator_role}};
