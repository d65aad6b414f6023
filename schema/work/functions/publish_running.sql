CREATE FUNCTION partitioncache.publish_running() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '100ms'
    AS $$
BEGIN
  PERFORM "partitioncache".hold_own_tables('write', '"public"."partitioncache_queue_active_jobs"');
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_query_fragment_queue"');
  DELETE FROM "public"."partitioncache_queue_active_jobs" AS active
  WHERE NOT EXISTS (
    SELECT FROM "partitioncache".working_runs() AS running
    LEFT JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = running.queue_id
    WHERE running.pid = active.pid AND NOT running.has_results
      -- The row stays, too, where a client has removed the fragment from the queue meanwhile.
      AND (queue.id IS NULL
           OR (queue.hash, queue.partition_key) = (active.query_hash, active.partition_key)));
  INSERT INTO "public"."partitioncache_queue_active_jobs"
    (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT queue.hash, queue.partition_key, running.job_name, running.pid,
         running.started_at::timestamp, queue.query, queue.partition_datatype
  FROM "partitioncache".working_runs() AS running
  JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = running.queue_id
  WHERE NOT running.has_results
  -- In a fixed order, in case two maintenance runs overlap.
  ORDER BY queue.hash, queue.partition_key
  ON CONFLICT (query_hash, partition_key) DO NOTHING;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has locked the table. Showing what runs can wait; the rest of maintenance cannot.
    RETURN;
END
$$;

COMMENT ON FUNCTION partitioncache.publish_running() IS 'Brings the clients'' table of active work up to date, so that it shows what is running now and nothing else.';

REVOKE ALL ON FUNCTION partitioncache.publish_running() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.publish_running() TO cron_role;
