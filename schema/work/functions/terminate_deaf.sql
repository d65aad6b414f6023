CREATE FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '500ms'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
BEGIN
  PERFORM "partitioncache".hold_own_tables(
    'read', '"public"."partitioncache_queue_query_fragment_queue"', '"public"."my_cache_queries"', '"public"."my_cache_partition_metadata"');
  -- The run can no longer settle the fragment, and must not count as having died of it.
  v_result.item := ("partitioncache".items_of(ARRAY[p_queue_id]))[1];
  IF v_result.item IS NOT NULL THEN
    v_result.outcome := 'timeout';
    v_result.error := '57014: terminated, since it went on '
                      'after it had been cancelled at its timeout';
    v_result.started_at := p_started;
    v_result.ended_at := clock_timestamp();
    PERFORM "partitioncache".settle_results(
      ARRAY[v_result],
      ROW(p_job_name, p_lock_key, 'cron', true, NULL, NULL, NULL, NULL)::"partitioncache".run_context);
  END IF;
  DELETE FROM "partitioncache".batch WHERE batch_id = p_batch_id;
  PERFORM pg_terminate_backend(p_pid);
EXCEPTION
  WHEN lock_not_available THEN
    -- A client holds the fragment's row at this moment. Maintenance looks again in a second.
    RETURN;
END
$$;

COMMENT ON FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) IS 'Ends the session of a run whose fragment cannot be cancelled, and settles the fragment as timed out. pg_cron starts the slot again.';

REVOKE ALL ON FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.terminate_deaf(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamp with time zone) TO cron_role;
