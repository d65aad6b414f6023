CREATE FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  -- Even a full queue ends a run now and then, so that pg_cron's history shows it alive.
  c_slice CONSTANT interval := '60 s';
  -- An idle run stays for a while: to be started costs a session and a row in pg_cron's history each time.
  c_idle_seconds CONSTANT integer := 10;
  v_now timestamptz := clock_timestamp();
  v_config "public"."partitioncache_queue_processor_config";
  v_next_start timestamptz;
  v_due timestamptz;
  v_frequency interval;
  v_limit integer;
  v_batch "partitioncache".batch;
  v_step "partitioncache".run_step;
BEGIN
  DELETE FROM "partitioncache".batch WHERE batch_id = (p_last.context).batch_id;

  SELECT * INTO v_config FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF NOT FOUND OR NOT v_config.enabled OR p_slot > v_config.max_parallel_jobs OR v_now >= p_run_started + c_slice THEN
    v_step.finished := true;
    RETURN v_step;
  END IF;
  v_step.finished := false;

  v_frequency := make_interval(secs => v_config.frequency_seconds);
  v_next_start := p_run_started + make_interval(secs => greatest(c_idle_seconds, "partitioncache".start_interval(
    v_config.frequency_seconds, (SELECT pg_cron_version FROM "partitioncache".deployment))));
  v_due := coalesce(p_last.next_due, (SELECT next_due FROM "partitioncache".slot WHERE lock_key = p_lock_key));
  -- Where the frequency was shortened since, it counts from now.
  v_due := least(v_due, v_now + v_frequency);
  v_step.next_due := v_due;
  IF v_due > v_now THEN
    v_step.finished := v_due >= v_next_start;
    IF v_step.finished THEN
      -- Only here, for the run after this one: an idle run writes nothing.
      UPDATE "partitioncache".slot SET next_due = v_due WHERE lock_key = p_lock_key;
    END IF;
    -- At most a second at a time, so that being disabled ends the run soon.
    v_step.wait_seconds := least(extract(epoch FROM v_due - v_now), 1);
    RETURN v_step;
  END IF;

  -- What is claimed must be known after a crash, or what caused it would be claimed again for ever.
  PERFORM set_config('synchronous_commit', 'local', true);
  v_limit := "partitioncache".batch_limit(p_last, v_now);
  -- What was left of an overdue batch is in front of where that batch ends.
  IF NOT "partitioncache".is_overdue(p_last.context) THEN
    v_step.after_priority := p_last.after_priority;
    v_step.after_id := p_last.after_id;
  END IF;
  v_batch := "partitioncache".claim_suspect(p_lock_key);
  IF v_batch.batch_id IS NULL THEN
    v_batch := "partitioncache".claim_batch(p_lock_key, v_limit, v_step.after_priority, v_step.after_id);
  END IF;
  IF v_batch.batch_id IS NULL THEN
    v_step.next_due := CASE WHEN v_due + v_frequency > v_now THEN v_due + v_frequency ELSE v_now + v_frequency END;
    v_step.wait_seconds := 0;
    RETURN v_step;
  END IF;

  v_step.wanted := v_limit;
  v_step.items := coalesce("partitioncache".items_of(v_batch.queue_ids), '{}');
  v_step.context := ROW(p_job_name, p_lock_key, 'cron', true, v_batch.batch_id, v_batch.claimed_at,
                        v_config.result_limit, v_config.default_bitsize);
  IF NOT v_batch.alone THEN
    SELECT priority, id INTO v_step.after_priority, v_step.after_id
    FROM "public"."partitioncache_queue_query_fragment_queue" WHERE id = v_batch.queue_ids[cardinality(v_batch.queue_ids)];
  END IF;
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) IS 'Ends the batch of the last step and decides, from the configuration as it is now, what the run does next. An empty queue makes the slot due again after frequency_seconds.';

REVOKE ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_last partitioncache.run_step) TO client_role;
