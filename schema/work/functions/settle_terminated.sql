CREATE FUNCTION partitioncache.settle_terminated(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_started timestamp with time zone, p_outcome text, p_error text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
BEGIN
  PERFORM "partitioncache".hold_own_tables(
    'read', '"public"."partitioncache_queue_query_fragment_queue"', '"public"."my_cache_queries"', '"public"."my_cache_partition_metadata"');
  v_result.item := ("partitioncache".items_of(ARRAY[p_queue_id]))[1];
  -- Not the item itself, which is neither NULL nor NOT NULL while its partition has no datatype.
  IF (v_result.item).queue_id IS NOT NULL THEN
    v_result.outcome := p_outcome;
    v_result.error := p_error;
    v_result.started_at := p_started;
    v_result.ended_at := clock_timestamp();
    PERFORM "partitioncache".settle_results(
      ARRAY[v_result],
      ROW(p_job_name, p_lock_key, 'cron', true, NULL, NULL, NULL, NULL)::"partitioncache".run_context);
  END IF;
  DELETE FROM "partitioncache".batch WHERE batch_id = p_batch_id;
END
$$;

COMMENT ON FUNCTION partitioncache.settle_terminated(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_started timestamp with time zone, p_outcome text, p_error text) IS 'Settles the fragment of a run that is terminated and cannot do so itself, so that it does not count as having died of it. Nothing is settled where a client has removed the fragment.';

REVOKE ALL ON FUNCTION partitioncache.settle_terminated(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_started timestamp with time zone, p_outcome text, p_error text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.settle_terminated(p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_started timestamp with time zone, p_outcome text, p_error text) TO cron_role;
