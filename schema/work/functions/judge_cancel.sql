CREATE FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) RETURNS partitioncache.item_result
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_result "partitioncache".item_result;
  v_timeout integer;
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_config"');
  -- Read it now: the watchdog reads it live, and it may have changed since the fragment began.
  SELECT timeout_seconds INTO v_timeout FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  v_result.item := p_item;
  v_result.started_at := p_started;
  v_result.ended_at := clock_timestamp();
  IF v_result.ended_at - p_started >= make_interval(secs => v_timeout) THEN
    v_result.outcome := 'timeout';
    v_result.error := format('57014: cancelled after timeout_seconds = %s', v_timeout);
  ELSIF p_held_up THEN
    v_result.outcome := 'failed';
    v_result.error :=
      '57014: cancelled, since it has taken the advisory lock by which '
      'a run says that results are waiting';
  ELSE
    -- Most likely an operator cancelled it. But a fragment can do so as well, so it counts as an
    -- attempt.
    v_result.outcome := 'put_back';
    v_result.error := '57014: the run was cancelled while it worked on this';
  END IF;
  RETURN v_result;
END
$$;

COMMENT ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) IS 'What a cancel means for a fragment that was begun at p_started: timeout when its time is over; failed when it made maintenance believe that results are waiting (p_held_up); else put_back, and the run must end.';

REVOKE ALL ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.judge_cancel(p_item partitioncache.batch_item, p_started timestamp with time zone, p_job_name text, p_held_up boolean) TO client_role;
