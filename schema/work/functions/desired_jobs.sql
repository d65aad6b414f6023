CREATE FUNCTION partitioncache.desired_jobs(p_pg_cron_version text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET jit TO 'off'
    AS $$
DECLARE
  v_pg_cron_version text := coalesce(
    p_pg_cron_version, (SELECT pg_cron_version FROM "partitioncache".deployment));
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_config"');
  RETURN (
    WITH processor AS (
      SELECT config.job_name, config.enabled, config.max_parallel_jobs,
             "partitioncache".start_interval(config.frequency_seconds, v_pg_cron_version) AS seconds
      FROM "public"."partitioncache_queue_processor_config" AS config
    ),
    jobs (position, job_name, schedule, command, kind, processor, slot, keep_days, on_demand) AS (
      SELECT 1, "partitioncache".cron_job_name(job_name, slot::text), "partitioncache".cron_schedule(seconds),
             format('CALL %I.run_processor(%L, %s)', 'partitioncache', job_name, slot),
             'processor', job_name, slot, NULL::integer,
             -- The first slot stays, and finds what comes. One that is started so rarely that it
             -- never stays takes no place from others.
             slot > 1 AND seconds <= 60
      FROM processor, generate_series(1, max_parallel_jobs) AS slot
      WHERE enabled
      UNION ALL
      -- As often as can be: without one no timeout is kept. Also while all are disabled: what was
      -- begun before is still to be timed out.
      SELECT 2, "partitioncache".cron_job_name(NULL, 'maintenance'),
             "partitioncache".cron_schedule("partitioncache".start_interval(1, v_pg_cron_version)),
             format('CALL %I.run_maintenance()', 'partitioncache'),
             'maintenance', NULL, NULL, NULL, NOT "partitioncache".watches_always()
      WHERE EXISTS (SELECT FROM processor)
      UNION ALL
      SELECT 3, "partitioncache".cron_job_name(NULL, 'history'), '17 3 * * *',
             format('SELECT %I.prune_job_runs(%s)',
                    deployment.cron_schema, settings.run_retention_days),
             'history', NULL, NULL, settings.run_retention_days, false
      FROM "partitioncache".deployment, "partitioncache".settings
      WHERE EXISTS (SELECT FROM processor)
    ),
    dispatched AS (
      TABLE jobs
      UNION ALL
      SELECT 4, "partitioncache".cron_job_name(NULL, 'dispatch'),
             "partitioncache".cron_schedule("partitioncache".start_interval(14, v_pg_cron_version)),
             format('SELECT %I.dispatch(%s)',
                    deployment.cron_schema, maintenance.on_demand::text),
             'dispatch', NULL, NULL, NULL, false
      FROM "partitioncache".deployment, jobs AS maintenance
      WHERE maintenance.kind = 'maintenance' AND EXISTS (SELECT FROM jobs WHERE on_demand)
    )
    SELECT coalesce(
      jsonb_agg(jsonb_build_object(
                  'job_name', job_name, 'schedule', schedule, 'command', command, 'kind', kind,
                  'processor', processor, 'slot', slot, 'keep_days', keep_days,
                  'on_demand', on_demand, 'database', current_database())
                ORDER BY position, job_name),
      '[]')
    FROM dispatched
  );
END
$$;

COMMENT ON FUNCTION partitioncache.desired_jobs(p_pg_cron_version text) IS 'The jobs this deployment should have: [{job_name, schedule, command, kind, processor, slot, keep_days, on_demand, database}]. command is for comparison, since apply_jobs makes it itself; on_demand: its schedule is that for times with work, and dispatch puts it to rest at others; database is this one, by which apply_jobs knows a copy. A disabled processor has no slots. With p_pg_cron_version, as it will be once that version is recorded.';

REVOKE ALL ON FUNCTION partitioncache.desired_jobs(p_pg_cron_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.desired_jobs(p_pg_cron_version text) TO cron_role;
