CREATE FUNCTION partitioncache.queue_depth_rows() RETURNS TABLE(priority integer, queued bigint, waiting bigint, over_1_minute bigint, over_10_minutes bigint, over_1_hour bigint, oldest_since timestamp without time zone, oldest_age interval)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_query_fragment_queue"', '"public"."my_cache_queries"');
  RETURN QUERY
  WITH depth AS (
    -- As a subquery, the time is computed only once, not for each row.
    SELECT queue.priority, count(*) AS queued,
           count(*) FILTER (
             WHERE queue.created_at < (SELECT now()::timestamp - interval '1 minute')
           ) AS over_1_minute,
           count(*) FILTER (
             WHERE queue.created_at < (SELECT now()::timestamp - interval '10 minutes')
           ) AS over_10_minutes,
           count(*) FILTER (
             WHERE queue.created_at < (SELECT now()::timestamp - interval '1 hour')
           ) AS over_1_hour,
           min(queue.created_at) AS oldest_since
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue
    GROUP BY queue.priority
  ),
  not_due AS (
    SELECT held_back.query_hash AS hash, held_back.partition_key
    FROM "partitioncache".held_back
    WHERE held_back.not_before > now()
    UNION
    SELECT known.query_hash, known.partition_key
    FROM "public"."my_cache_queries" AS known
    WHERE known.status <> 'ok'
      AND known.last_seen > (
        SELECT now()::timestamp - make_interval(secs => retry_backoff_seconds)
        FROM "partitioncache".service)
  ),
  waiting AS (
    SELECT queue.priority, count(*) AS waiting
    FROM "public"."partitioncache_queue_query_fragment_queue" AS queue JOIN not_due USING (hash, partition_key)
    GROUP BY queue.priority
  )
  SELECT priority, depth.queued, coalesce(waiting.waiting, 0),
         depth.over_1_minute, depth.over_10_minutes, depth.over_1_hour,
         depth.oldest_since, now()::timestamp - depth.oldest_since
  FROM depth LEFT JOIN waiting USING (priority);
END
$$;

COMMENT ON FUNCTION partitioncache.queue_depth_rows() IS 'The rows of the view queue_depth. Reads the whole queue once, and the status of all known fragments.';

REVOKE ALL ON FUNCTION partitioncache.queue_depth_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.queue_depth_rows() TO client_role;
GRANT ALL ON FUNCTION partitioncache.queue_depth_rows() TO cron_role;
