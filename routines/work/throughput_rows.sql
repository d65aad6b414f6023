CREATE OR REPLACE FUNCTION {{schema}}.throughput_rows()
RETURNS TABLE (
  job_name text, minutes integer,
  settled bigint, succeeded bigint, failed bigint, timed_out bigint, skipped bigint,
  per_second numeric, p50_ms numeric, p95_ms numeric, p99_ms numeric, max_ms numeric
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- The plan depends on how much of the log lies in the span, which PostgreSQL can only estimate
-- where it knows the time. To compile it took longer than to run it.
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  v_since timestamp := now()::timestamp - interval '15 minutes';
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_log:literal}}, {{processor_config:literal}});
  RETURN QUERY
  WITH span AS MATERIALIZED (
    SELECT minutes, now()::timestamp - make_interval(mins => minutes) AS since
    FROM unnest(ARRAY[1, 5, 15]) AS minutes
  ),
  recent AS MATERIALIZED (
    -- Skipped fragments were not evaluated. Double precision sorts
    -- faster and holds such numbers exactly.
    SELECT log.job_id, log.status, log.created_at,
           CASE WHEN log.status <> 'skipped' THEN log.execution_time_ms::double precision END
             AS evaluation_ms
    FROM {{processor_log}} AS log
    WHERE log.status <> 'started' AND log.created_at > v_since
  ),
  measured AS (
    SELECT recent.job_id AS job_name, span.minutes, count(*) AS settled,
           count(*) FILTER (WHERE recent.status = 'success') AS succeeded,
           count(*) FILTER (WHERE recent.status = 'failed') AS failed,
           count(*) FILTER (WHERE recent.status = 'timeout') AS timed_out,
           count(*) FILTER (WHERE recent.status = 'skipped') AS skipped,
           percentile_disc(ARRAY[0.5, 0.95, 0.99, 1])
             WITHIN GROUP (ORDER BY recent.evaluation_ms)::numeric(10, 3)[] AS ms
    FROM span JOIN recent ON recent.created_at > span.since
    GROUP BY recent.job_id, span.minutes
  ),
  configured AS (
    SELECT config.job_name, span.minutes FROM {{processor_config}} AS config CROSS JOIN span
  )
  SELECT job_name, minutes, coalesce(measured.settled, 0),
         coalesce(measured.succeeded, 0), coalesce(measured.failed, 0),
         coalesce(measured.timed_out, 0), coalesce(measured.skipped, 0),
         round(coalesce(measured.settled, 0) / (minutes * 60.0), 3),
         measured.ms[1], measured.ms[2], measured.ms[3], measured.ms[4]
  FROM configured FULL JOIN measured USING (job_name, minutes);
END
$$;
COMMENT ON FUNCTION {{schema}}.throughput_rows IS
  'The rows of the view throughput. Reads the log of the last 15 minutes.';
REVOKE ALL ON FUNCTION {{schema}}.throughput_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.throughput_rows TO {{client_role}}, {{cron_role}};
