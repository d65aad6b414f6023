CREATE OR REPLACE FUNCTION {{schema}}.log_attempt(
  p_result {{schema}}.item_result, p_run {{schema}}.run_context
) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{processor_log:literal}});
  INSERT INTO {{processor_log}}
    (job_id, query_hash, partition_key, status, error_message, execution_source, created_at)
  VALUES (p_run.job_name, (p_result.item).query_hash, (p_result.item).partition_key, 'started',
          left(p_result.error, 2000), p_run.source, clock_timestamp()::timestamp);
  RETURN (
    SELECT count(*)
    FROM (
      SELECT log.id, log.status, max(log.id) FILTER (WHERE log.status <> 'started') OVER () AS ended
      FROM {{processor_log}} AS log
      WHERE log.query_hash = (p_result.item).query_hash
        AND log.partition_key = (p_result.item).partition_key
        AND log.created_at > now()::timestamp - interval '1 day'
        AND (log.status <> 'started' OR log.execution_source = p_run.source)
    ) AS recent
    WHERE recent.id > coalesce(recent.ended, 0));
END
$$;
COMMENT ON FUNCTION {{schema}}.log_attempt IS
  'Logs that an attempt within a client''s transaction, which has no rights on attempts, ended '
  'without a result. Returns how many such attempts there were within a day since the fragment was '
  'last settled.';
REVOKE ALL ON FUNCTION {{schema}}.log_attempt FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.log_attempt TO {{cron_role}}, {{client_role}};
