CREATE FUNCTION partitioncache.active_item_rows() RETURNS TABLE(job_name text, slot integer, query_hash text, partition_key text, pid integer, started_at timestamp with time zone, running_for interval)
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_query_fragment_queue"', '"public"."partitioncache_queue_active_jobs"');
  -- A client may have removed it from the queue in the meantime; the run still works on it.
  RETURN QUERY
  SELECT running.job_name, running.slot,
         coalesce(queue.hash, published.query_hash, '(no longer queued)'),
         coalesce(queue.partition_key, published.partition_key, ''),
         running.pid, running.started_at, clock_timestamp() - running.started_at
  FROM "partitioncache".working_runs() AS running
  LEFT JOIN "public"."partitioncache_queue_query_fragment_queue" AS queue ON queue.id = running.queue_id
  LEFT JOIN "public"."partitioncache_queue_active_jobs" AS published ON published.pid = running.pid AND queue.id IS NULL
  WHERE NOT running.has_results;
END
$$;

COMMENT ON FUNCTION partitioncache.active_item_rows() IS 'What the view active_items shows.';

REVOKE ALL ON FUNCTION partitioncache.active_item_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.active_item_rows() TO cron_role;
GRANT ALL ON FUNCTION partitioncache.active_item_rows() TO client_role;
