-- Without this function nothing could remove the jobs. With the extension they are gone already.
DO $jobs$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM {{cron_schema}}.apply_jobs('[]');
  END IF;
END
$jobs$;
DROP FUNCTION {{cron_schema}}.apply_jobs;
DROP FUNCTION {{cron_schema}}.check_desired_jobs;
