CREATE FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_clocks record := "partitioncache".clocks();
  v_now timestamptz := clock_timestamp();
  v_config "public"."partitioncache_queue_processor_config";
  v_due timestamptz;
  v_limit integer;
  v_in_turn boolean := false;
  v_batch "partitioncache".batch;
  v_step "partitioncache".run_step;
BEGIN
  DELETE FROM "partitioncache".batch WHERE batch_id = (p_last.context).batch_id;

  IF "partitioncache".is_held() THEN
    v_step.finished := true;
    RETURN v_step;
  END IF;
  v_due := coalesce(
    p_last.next_due, (SELECT next_due FROM "partitioncache".slot WHERE lock_key = p_lock_key));
  -- In this transaction as in each: between two of them a table can become another one. All that
  -- an idle run looks at, at once, since it does little else.
  PERFORM "partitioncache".require_own(
    "partitioncache".lock_own('read', '"public"."partitioncache_queue_processor_config"')
    || CASE WHEN v_due <= v_now THEN "partitioncache".lock_own('read', '"public"."partitioncache_queue_query_fragment_queue"') END);
  SELECT * INTO v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  -- A run ends now and then even when the queue is full, so that pg_cron's history shows it alive.
  IF NOT FOUND OR NOT v_config.enabled OR p_slot > v_config.max_parallel_jobs
    OR v_now >= p_run_started + v_clocks.run
  THEN
    v_step.finished := true;
    RETURN v_step;
  END IF;
  v_step.finished := false;
  v_step.next_due := v_due;

  IF v_due <= v_now AND EXISTS (SELECT FROM "public"."partitioncache_queue_query_fragment_queue") THEN
    PERFORM "partitioncache".require_own(
      "partitioncache".lock_own('read', '"public"."my_cache_queries"', '"public"."my_cache_partition_metadata"')
      -- Not locked, since a client that has them locked must not keep us waiting with those above.
      || "partitioncache".lock_own('look', '"public"."partitioncache_queue_processor_log"', '"public"."partitioncache_queue_active_jobs"'));
    -- A claim must survive a crash; else the fragment that caused it would be claimed again for
    -- ever.
    PERFORM set_config('synchronous_commit', 'local', true);
    v_limit := "partitioncache".batch_limit(p_last, v_now);
    -- What an overdue batch left behind lies before its end in the queue.
    IF NOT "partitioncache".is_overdue(p_last.context) THEN
      v_step.after_priority := p_last.after_priority;
      v_step.after_id := p_last.after_id;
    END IF;
    v_batch := "partitioncache".claim_suspect(p_lock_key);
    IF v_batch.batch_id IS NULL THEN
      v_batch := "partitioncache".claim_out_of_turn(
        p_lock_key, v_limit, (p_last.items[cardinality(p_last.items)]).partition_key);
    END IF;
    IF v_batch.batch_id IS NULL THEN
      v_in_turn := true;
      v_batch := "partitioncache".claim_batch(
        p_lock_key, v_limit, v_step.after_priority, v_step.after_id);
    END IF;
  END IF;
  IF v_batch.batch_id IS NULL THEN
    RETURN "partitioncache".idle_step(
      p_slot, p_lock_key, p_run_started, v_config.frequency_seconds, v_due, v_now);
  END IF;

  -- Disabled since the look above, and what is claimed was queued only then.
  IF NOT EXISTS (SELECT FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name AND enabled) THEN
    DELETE FROM "partitioncache".batch WHERE batch_id = v_batch.batch_id;
    v_step.finished := true;
    RETURN v_step;
  END IF;

  PERFORM "partitioncache".show_work();
  v_step.wanted := v_limit;
  v_step.items := coalesce("partitioncache".items_of(v_batch.queue_ids), '{}');
  v_step.context := ROW(
    p_job_name, p_lock_key, 'cron', true, v_batch.batch_id, v_batch.claimed_at,
    v_config.result_limit, v_config.default_bitsize);
  IF v_in_turn THEN
    SELECT priority, id INTO v_step.after_priority, v_step.after_id
    FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = v_batch.queue_ids[cardinality(v_batch.queue_ids)];
  END IF;
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) IS 'Ends the batch of the last step and decides, by the configuration of this moment, what the run does next. An empty queue makes the slot due again after frequency_seconds.';

REVOKE ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) TO cron_role;
