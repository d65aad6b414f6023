-- A run: what a job of pg_cron calls. The procedures COMMIT, so they can have neither
-- an EXCEPTION block nor a SET clause. A search_path set by the caller must not
-- matter, so they name every function with its schema and use no operator. All
-- decisions are in functions with a pinned search_path.
-- docs/processor.md, "A run", and its table of clocks.

CREATE TYPE {{schema}}.run_step AS (
  finished       boolean,
  wait_seconds   double precision,
  items          {{schema}}.batch_item[],
  context        {{schema}}.run_context,
  next_due       timestamptz,
  wanted         integer,
  after_priority integer,
  after_id       integer
);
COMMENT ON TYPE {{schema}}.run_step IS
  'What a run does next: end, sleep for wait_seconds, or process these items. next_due, wanted, '
  'after_priority and after_id are for the step after it: when to look at the queue again, how '
  'many items were asked for, and where in the queue they end.';

--! routine batch_limit
CREATE OR REPLACE FUNCTION {{schema}}.batch_limit(p_last {{schema}}.run_step, p_now timestamptz)
RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- A claim is durable and so costs a flush, which many quick fragments should share. But no other
  -- run can take what one run has claimed, and each claimed fragment waits for those before it. So
  -- the limit starts at one and grows only while batches stay short.
  SELECT greatest(1, least(
    settings.batch_size,
    coalesce(p_last.wanted, 0)::bigint * 4,
    coalesce(
      cardinality(p_last.items) * extract(epoch FROM clocks.batch)
        / greatest(extract(epoch FROM p_now - (p_last.context).claimed_at), 0.001),
      1)::bigint))::integer
  FROM {{schema}}.settings, {{schema}}.clocks() AS clocks
$$;
COMMENT ON FUNCTION {{schema}}.batch_limit IS
  'How many fragments to claim after the step p_last: as many as take a quarter of a second at its '
  'pace, but at most four times as many as it wanted.';
REVOKE ALL ON FUNCTION {{schema}}.batch_limit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.batch_limit TO {{cron_role}};
--! end

--! routine idle_step
CREATE OR REPLACE FUNCTION {{schema}}.idle_step(
  p_slot integer, p_lock_key integer, p_run_started timestamptz, p_frequency_seconds integer,
  p_due timestamptz, p_now timestamptz
) RETURNS {{schema}}.run_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_clocks record := {{schema}}.clocks();
  v_frequency interval := make_interval(secs => p_frequency_seconds);
  v_next_start timestamptz;
  v_step {{schema}}.run_step;
BEGIN
  IF p_due <= p_now THEN
    PERFORM {{schema}}.clean_up_at_rest();
    v_step.next_due :=
      CASE WHEN p_due + v_frequency > p_now THEN p_due ELSE p_now END + v_frequency;
  ELSE
    -- A frequency that was shortened meanwhile counts from now.
    v_step.next_due := least(p_due, p_now + v_frequency);
  END IF;
  -- An idle run stays for a while: each start costs a session and a row in pg_cron's history. A
  -- first slot is there for what comes; the others' places are wanted by other deployments.
  v_next_start := p_run_started + CASE
    WHEN p_slot = 1 AND v_frequency <= v_clocks.idle THEN v_clocks.run
    ELSE greatest(v_clocks.idle, make_interval(secs => {{schema}}.start_interval(
      p_frequency_seconds, (SELECT pg_cron_version FROM {{schema}}.deployment))))
  END;
  v_step.finished := v_step.next_due >= v_next_start;
  IF v_step.finished THEN
    -- Only here, for the next run: an idle run writes nothing.
    UPDATE {{schema}}.slot SET next_due = v_step.next_due WHERE lock_key = p_lock_key;
  END IF;
  -- In short steps, so that a run ends soon after its processor was disabled.
  v_step.wait_seconds := extract(epoch FROM least(v_step.next_due - p_now, v_clocks.look));
  RETURN v_step;
END
$$;
COMMENT ON FUNCTION {{schema}}.idle_step IS
  'What a run does that has nothing to process: waits, or ends when it would not look at the queue '
  'again before pg_cron starts the slot anyhow. p_due: when the queue was due to be looked at, '
  'which it was if that is not after p_now. An empty queue makes the slot due again after '
  'p_frequency_seconds.';
REVOKE ALL ON FUNCTION {{schema}}.idle_step FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.idle_step TO {{cron_role}};
--! end

--! routine next_step
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
--! end

--! routine run_processor
CREATE OR REPLACE PROCEDURE {{schema}}.run_processor(p_job_name text, p_slot integer)
LANGUAGE plpgsql
AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_lock_key integer;
  v_step {{schema}}.run_step;
  v_next integer;
  v_end {{schema}}.chunk_end;
  v_widened {{schema}}.batch_item[];
BEGIN
  v_lock_key := {{schema}}.open_slot(p_job_name, p_slot);
  COMMIT;
  IF v_lock_key IS NULL THEN
    RETURN;
  END IF;
  LOOP
    v_step := {{schema}}.next_step(p_job_name, p_slot, v_lock_key, v_started, v_step);
    COMMIT;
    EXIT WHEN v_step.finished;
    IF v_step.items IS NULL THEN
      PERFORM pg_catalog.pg_sleep(v_step.wait_seconds);
      COMMIT;
      CONTINUE;
    END IF;
    v_next := 1;
    WHILE v_next IS NOT NULL LOOP
      v_end := {{schema}}.process_chunk(v_step.items, v_next, v_step.context);
      COMMIT;
      v_next := v_end.next_item;
      IF v_end.narrow IS NOT NULL THEN
        -- In a transaction of its own: its lock must not be held while a fragment is evaluated.
        v_widened := {{schema}}.widen_for(v_end.narrow, v_step.context);
        COMMIT;
        IF v_widened IS NOT NULL THEN
          v_end := {{schema}}.process_chunk(v_widened, 1, v_step.context);
          COMMIT;
        END IF;
        IF {{schema}}.is_overdue(v_step.context) THEN
          v_next := NULL;
        END IF;
      END IF;
      EXIT WHEN v_end.ends_run;
    END LOOP;
    EXIT WHEN v_end.ends_run;
  END LOOP;
  PERFORM {{schema}}.close_slot(v_lock_key);
END
$$;
COMMENT ON PROCEDURE {{schema}}.run_processor IS
  'One run of a processor''s slot, as pg_cron starts it: drains the queue in batches for up to a '
  'minute, and stays for a while when it is empty (clocks). Ends at once while another run holds '
  'the slot, or when the processor is disabled.';
REVOKE ALL ON PROCEDURE {{schema}}.run_processor FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE {{schema}}.run_processor TO {{cron_role}};
--! end
