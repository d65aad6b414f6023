-- Left alone, its job would fail each time. With the extension it is gone already.
DO $jobs$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM cron.unschedule(own.jobid)
    FROM {{cron_schema}}.own_jobs() AS own
    WHERE pg_catalog.starts_with(
      own.command, pg_catalog.format('SELECT %I.prune_job_runs(', {{cron_schema:literal}}));
  END IF;
END
$jobs$;
DROP FUNCTION {{cron_schema}}.prune_job_runs;
