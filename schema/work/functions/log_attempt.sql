CREATE FUNCTION partitioncache.log_attempt(p_result partitioncache.item_result, p_run partitioncache.run_context) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_processor_log"');
  INSERT INTO "public"."partitioncache_queue_processor_log"
    (job_id, query_hash, partition_key, status, error_message, execution_source, created_at)
  VALUES (p_run.job_name, (p_result.item).query_hash, (p_result.item).partition_key, 'started',
          left(p_result.error, 2000), p_run.source, clock_timestamp()::timestamp);
  RETURN (
    SELECT count(*)
    FROM (
      SELECT log.id, log.status, max(log.id) FILTER (WHERE log.status <> 'started') OVER () AS ended
      FROM "public"."partitioncache_queue_processor_log" AS log
      WHERE log.query_hash = (p_result.item).query_hash
        AND log.partition_key = (p_result.item).partition_key
        AND log.created_at > now()::timestamp - interval '1 day'
        AND (log.status <> 'started' OR log.execution_source = p_run.source)
    ) AS recent
    WHERE recent.id > coalesce(recent.ended, 0));
END
$$;

COMMENT ON FUNCTION partitioncache.log_attempt(p_result partitioncache.item_result, p_run partitioncache.run_context) IS 'Logs that an attempt within a client''s transaction, which has no rights on attempts, ended without a result. Returns how many such attempts there were within a day since the fragment was last settled.';

REVOKE ALL ON FUNCTION partitioncache.log_attempt(p_result partitioncache.item_result, p_run partitioncache.run_context) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.log_attempt(p_result partitioncache.item_result, p_run partitioncache.run_context) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.log_attempt(p_result partitioncache.item_result, p_run partitioncache.run_context) TO client_role;
