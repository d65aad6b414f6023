CREATE FUNCTION partitioncache.failures_within(p_age interval) RETURNS TABLE(sqlstate text, reason text, failures bigint, fragments bigint, still_failed bigint, last_seen timestamp without time zone, example_hash text, example_partition_key text, example_message text)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_log"', '"public"."my_cache_queries"');
  RETURN QUERY
  WITH failed AS (
    SELECT log.id, log.query_hash, log.partition_key, log.created_at, log.error_message,
           class.reason,
           CASE class.reason
             WHEN 'error' THEN substring(log.error_message FROM '^([0-9A-Z]{5}): ')
             WHEN 'timeout' THEN '57014'
           END AS sqlstate
    FROM "public"."partitioncache_queue_processor_log" AS log
    CROSS JOIN LATERAL (
      SELECT CASE WHEN log.status = 'timeout' THEN 'timeout'
                  WHEN log.error_message LIKE 'set aside after %' THEN 'set aside'
                  ELSE 'error' END AS reason
    ) AS class
    WHERE log.status IN ('failed', 'timeout') AND log.created_at > now()::timestamp - p_age
  ),
  -- A fragment that failed in several ways counts as still failed for the last of them only.
  last_failure AS (
    SELECT DISTINCT ON (query_hash, partition_key) id, query_hash, partition_key
    FROM failed ORDER BY query_hash, partition_key, id DESC
  ),
  still_failed AS (
    SELECT last_failure.id
    FROM last_failure JOIN "public"."my_cache_queries" AS known USING (query_hash, partition_key)
    WHERE known.status IN ('failed', 'timeout')
  ),
  class AS (
    SELECT failed.sqlstate, failed.reason, count(*) AS failures,
           count(DISTINCT (failed.query_hash, failed.partition_key)) AS fragments,
           count(still_failed.id) AS still_failed,
           max(failed.created_at) AS last_seen,
           max(failed.id) AS example_id
    FROM failed LEFT JOIN still_failed USING (id)
    GROUP BY failed.sqlstate, failed.reason
  )
  SELECT class.sqlstate, class.reason, class.failures, class.fragments, class.still_failed,
         class.last_seen,
         example.query_hash, example.partition_key, example.error_message
  FROM class JOIN failed AS example ON example.id = class.example_id;
END
$$;

COMMENT ON FUNCTION partitioncache.failures_within(p_age interval) IS 'What the view failures shows, from the log as far back as p_age; the log is kept for log_retention_days.';

REVOKE ALL ON FUNCTION partitioncache.failures_within(p_age interval) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.failures_within(p_age interval) TO client_role;
GRANT ALL ON FUNCTION partitioncache.failures_within(p_age interval) TO cron_role;
