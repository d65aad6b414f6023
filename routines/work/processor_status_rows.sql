CREATE OR REPLACE FUNCTION {{schema}}.processor_status_rows()
RETURNS TABLE (
  job_name text, enabled boolean, max_parallel_jobs integer, frequency_seconds integer,
  timeout_seconds integer, result_limit integer, default_bitsize integer,
  queued bigint, active bigint, registered_jobs integer,
  succeeded_last_hour bigint, failed_last_hour bigint, last_success timestamp
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
  v_since timestamp := now()::timestamp - interval '1 hour';
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{fragment_queue:literal}}, {{processor_log:literal}});
  RETURN QUERY
  SELECT config.job_name, config.enabled, config.max_parallel_jobs, config.frequency_seconds,
         config.timeout_seconds, config.result_limit, config.default_bitsize,
         (SELECT count(*) FROM {{fragment_queue}}),
         (SELECT count(*)
          FROM {{schema}}.working_runs() AS running
          WHERE running.job_name = config.job_name AND NOT running.has_results),
         cardinality(config.job_ids),
         recent.succeeded, recent.failed, recent.last_success
  FROM {{processor_config}} AS config
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE log.status = 'success') AS succeeded,
           count(*) FILTER (WHERE log.status IN ('failed', 'timeout')) AS failed,
           max(log.created_at) FILTER (WHERE log.status = 'success') AS last_success
    FROM {{processor_log}} AS log
    WHERE log.job_id = config.job_name AND log.created_at > v_since
  ) AS recent;
END
$$;
COMMENT ON FUNCTION {{schema}}.processor_status_rows IS 'The rows of the view processor_status.';
REVOKE ALL ON FUNCTION {{schema}}.processor_status_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.processor_status_rows TO {{cron_role}}, {{client_role}};
