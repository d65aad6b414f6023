-- How much is queued, with which priority and for how long, and what
-- of it waits before it is tried again.
-- The view reads through a function, because a view on a client's table would keep the client
-- from dropping and recreating that table. Times without a time zone are compared with the
-- session's clock: they were written in the server's default time zone.

--! routine queue_depth_rows
CREATE OR REPLACE FUNCTION {{schema}}.queue_depth_rows()
RETURNS TABLE (
  priority integer, queued bigint, waiting bigint,
  over_1_minute bigint, over_10_minutes bigint, over_1_hour bigint,
  oldest_since timestamp, oldest_age interval
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}}, {{queries:literal}});
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
    FROM {{fragment_queue}} AS queue
    GROUP BY queue.priority
  ),
  not_due AS (
    SELECT held_back.query_hash AS hash, held_back.partition_key
    FROM {{schema}}.held_back
    WHERE held_back.not_before > now()
    UNION
    SELECT known.query_hash, known.partition_key
    FROM {{queries}} AS known
    WHERE known.status <> 'ok'
      AND known.last_seen > (
        SELECT now()::timestamp - make_interval(secs => retry_backoff_seconds)
        FROM {{schema}}.service)
  ),
  waiting AS (
    SELECT queue.priority, count(*) AS waiting
    FROM {{fragment_queue}} AS queue JOIN not_due USING (hash, partition_key)
    GROUP BY queue.priority
  )
  SELECT priority, depth.queued, coalesce(waiting.waiting, 0),
         depth.over_1_minute, depth.over_10_minutes, depth.over_1_hour,
         depth.oldest_since, now()::timestamp - depth.oldest_since
  FROM depth LEFT JOIN waiting USING (priority);
END
$$;
COMMENT ON FUNCTION {{schema}}.queue_depth_rows IS
  'The rows of the view queue_depth. Reads the whole queue once, and '
  'the status of all known fragments.';
REVOKE ALL ON FUNCTION {{schema}}.queue_depth_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.queue_depth_rows TO {{client_role}}, {{cron_role}};
--! end

--! routine queue_depth
CREATE OR REPLACE VIEW {{schema}}.queue_depth AS SELECT * FROM {{schema}}.queue_depth_rows();
COMMENT ON VIEW {{schema}}.queue_depth IS
  'The fragments in the queue, including those being evaluated, by '
  'priority. Has no row when the queue is empty.';
COMMENT ON COLUMN {{schema}}.queue_depth.waiting IS
  'How many of them are not due yet: they were put back after an attempt without a result, or '
  'queued again within retry_backoff_seconds of a failure.';
COMMENT ON COLUMN {{schema}}.queue_depth.over_1_minute IS
  'How many of them have been queued for more than a minute, '
  'including those in over_10_minutes and over_1_hour.';
COMMENT ON COLUMN {{schema}}.queue_depth.oldest_since IS
  'When the oldest of them was queued, in the time zone of the server.';
GRANT SELECT ON {{schema}}.queue_depth TO {{client_role}}, {{cron_role}};
--! end
