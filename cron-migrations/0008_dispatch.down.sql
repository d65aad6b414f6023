-- Left alone, its job would fail each time. With the extension it is gone already.
DO $jobs$
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM cron.unschedule(own.jobid)
    FROM {{cron_schema}}.own_jobs() AS own
    WHERE pg_catalog.starts_with(
      own.command, pg_catalog.format('SELECT %I.dispatch(', {{cron_schema:literal}}));
  END IF;
END
$jobs$;
DROP FUNCTION {{cron_schema}}.dispatch;
DROP FUNCTION {{cron_schema}}.is_at_work;
DROP FUNCTION {{cron_schema}}.starts_in_batches;
DROP FUNCTION {{cron_schema}}.helpers_with_room;
DROP FUNCTION {{cron_schema}}.jobs_on_demand;
DROP FUNCTION {{cron_schema}}.share_of_places;
DROP FUNCTION {{cron_schema}}.own_part;
DROP FUNCTION {{cron_schema}}.places_taken;
DROP FUNCTION {{cron_schema}}.places_at_rest;
DROP FUNCTION {{cron_schema}}.job_sessions;
DROP FUNCTION {{cron_schema}}.hidden_deployments;
DROP FUNCTION {{cron_schema}}.places;
DROP FUNCTION {{cron_schema}}.at_work;
DROP FUNCTION {{cron_schema}}.is_first_slot;
