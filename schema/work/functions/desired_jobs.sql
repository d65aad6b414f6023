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
             "partitioncache".cron_schedule("partitioncache".start_interval(
               config.frequency_seconds, v_pg_cron_version)) AS schedule
      FROM "public"."partitioncache_queue_processor_config" AS config
    ),
    jobs (position, job_name, schedule, command, kind, processor, slot, keep_days) AS (
      SELECT 1, "partitioncache".cron_job_name(job_name, slot::text), schedule,
             format('CALL %I.run_processor(%L, %s)', 'partitioncache', job_name, slot),
             'processor', job_name, slot, NULL::integer
      FROM processor, generate_series(1, max_parallel_jobs) AS slot
      WHERE enabled
      UNION ALL
      -- As often as can be: a maintenance run lasts a minute, and without one no timeout is kept.
      -- Also while all are disabled: what was begun before is still to be timed out.
      SELECT 2, "partitioncache".cron_job_name(NULL, 'maintenance'),
             "partitioncache".cron_schedule("partitioncache".start_interval(1, v_pg_cron_version)),
             format('CALL %I.run_maintenance()', 'partitioncache'),
             'maintenance', NULL, NULL, NULL
      WHERE EXISTS (SELECT FROM processor)
      UNION ALL
      SELECT 3, "partitioncache".cron_job_name(NULL, 'history'), '17 3 * * *',
             format('SELECT %I.prune_job_runs(%s)',
                    deployment.cron_schema, settings.run_retention_days),
             'history', NULL, NULL, settings.run_retention_days
      FROM "partitioncache".deployment, "partitioncache".settings
      WHERE EXISTS (SELECT FROM processor)
    )
    SELECT coalesce(
      jsonb_agg(jsonb_build_object(
                  'job_name', job_name, 'schedule', schedule, 'command', command, 'kind', kind,
                  'processor', processor, 'slot', slot, 'keep_days', keep_days,
                  'database', current_database())
                ORDER BY position, job_name),
      '[]')
    FROM jobs
  );
END
$$;

COMMENT ON FUNCTION partitioncache.desired_jobs(p_pg_cron_version text) IS 'The jobs this deployment should have: [{job_name, schedule, command, kind, processor, slot, keep_days, database}]. command is for comparison, since apply_jobs makes it itself; database is this one, by which apply_jobs knows a copy. A disabled processor has no slots. With p_pg_cron_version, as it will be once that version is recorded.';

REVOKE ALL ON FUNCTION partitioncache.desired_jobs(p_pg_cron_version text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.desired_jobs(p_pg_cron_version text) TO cron_role;
