CREATE OR REPLACE FUNCTION {{schema}}.next_step(
  p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamptz,
  p_last {{schema}}.run_step
) RETURNS {{schema}}.run_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_clocks record := {{schema}}.clocks();
  v_now timestamptz := clock_timestamp();
  v_config {{processor_config}};
  v_due timestamptz;
  v_limit integer;
  v_in_turn boolean := false;
  v_batch {{schema}}.batch;
  v_step {{schema}}.run_step;
BEGIN
  DELETE FROM {{schema}}.batch WHERE batch_id = (p_last.context).batch_id;

  IF {{schema}}.is_held() THEN
    v_step.finished := true;
    RETURN v_step;
  END IF;
  v_due := coalesce(
    p_last.next_due, (SELECT next_due FROM {{schema}}.slot WHERE lock_key = p_lock_key));
  -- In this transaction as in each: between two of them a table can become another one. All that
  -- an idle run looks at, at once, since it does little else.
  PERFORM {{schema}}.require_own(
    {{schema}}.lock_own('read', {{processor_config:literal}})
    || CASE WHEN v_due <= v_now THEN {{schema}}.lock_own('read', {{fragment_queue:literal}}) END);
  SELECT * INTO v_config FROM {{processor_config}} WHERE job_name = p_job_name;
  -- A run ends now and then even when the queue is full, so that pg_cron's history shows it alive.
  IF NOT FOUND OR NOT v_config.enabled OR p_slot > v_config.max_parallel_jobs
    OR v_now >= p_run_started + v_clocks.run
  THEN
    v_step.finished := true;
    RETURN v_step;
  END IF;
  v_step.finished := false;
  v_step.next_due := v_due;

  IF v_due <= v_now AND EXISTS (SELECT FROM {{fragment_queue}}) THEN
    PERFORM {{schema}}.require_own(
      {{schema}}.lock_own('read', {{queries:literal}}, {{partition_metadata:literal}})
      -- Not locked, since a client that has them locked must not keep us waiting with those above.
      || {{schema}}.lock_own('look', {{processor_log:literal}}, {{active_jobs:literal}}));
    -- A claim must survive a crash; else the fragment that caused it would be claimed again for
    -- ever.
    PERFORM set_config('synchronous_commit', 'local', true);
    v_limit := {{schema}}.batch_limit(p_last, v_now);
    -- What an overdue batch left behind lies before its end in the queue.
    IF NOT {{schema}}.is_overdue(p_last.context) THEN
      v_step.after_priority := p_last.after_priority;
      v_step.after_id := p_last.after_id;
    END IF;
    v_batch := {{schema}}.claim_suspect(p_lock_key);
    IF v_batch.batch_id IS NULL THEN
      v_batch := {{schema}}.claim_out_of_turn(
        p_lock_key, v_limit, (p_last.items[cardinality(p_last.items)]).partition_key);
    END IF;
    IF v_batch.batch_id IS NULL THEN
      v_in_turn := true;
      v_batch := {{schema}}.claim_batch(
        p_lock_key, v_limit, v_step.after_priority, v_step.after_id);
    END IF;
  END IF;
  IF v_batch.batch_id IS NULL THEN
    RETURN {{schema}}.idle_step(
      p_slot, p_lock_key, p_run_started, v_config.frequency_seconds, v_due, v_now);
  END IF;

  -- Disabled since the look above, and what is claimed was queued only then.
  IF NOT EXISTS (SELECT FROM {{processor_config}} WHERE job_name = p_job_name AND enabled) THEN
    DELETE FROM {{schema}}.batch WHERE batch_id = v_batch.batch_id;
    v_step.finished := true;
    RETURN v_step;
  END IF;

  PERFORM {{schema}}.show_work();
  v_step.wanted := v_limit;
  v_step.items := coalesce({{schema}}.items_of(v_batch.queue_ids), '{}');
  v_step.context := ROW(
    p_job_name, p_lock_key, 'cron', true, v_batch.batch_id, v_batch.claimed_at,
    v_config.result_limit, v_config.default_bitsize);
  IF v_in_turn THEN
    SELECT priority, id INTO v_step.after_priority, v_step.after_id
    FROM {{fragment_queue}} WHERE id = v_batch.queue_ids[cardinality(v_batch.queue_ids)];
  END IF;
  RETURN v_step;
END
$$;
COMMENT ON FUNCTION {{schema}}.next_step IS
  'Ends the batch of the last step and decides, by the configuration of this moment, what the run '
  'does next. An empty queue makes the slot due again after frequency_seconds.';
REVOKE ALL ON FUNCTION {{schema}}.next_step FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.next_step TO {{cron_role}};
