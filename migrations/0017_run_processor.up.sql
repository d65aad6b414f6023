-- A run: what a job of pg_cron calls. The procedures may COMMIT, so they have neither an EXCEPTION block nor
-- a SET clause, and since a search_path set by the caller must not matter they name every function with its
-- schema and use no operator. All decisions are in functions with a pinned search_path.

CREATE FUNCTION {{schema}}.open_slot(p_job_name text, p_slot integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer;
BEGIN
  PERFORM FROM {{processor_config}} WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found', HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  INSERT INTO {{schema}}.slot (job_name, slot) VALUES (p_job_name, p_slot) ON CONFLICT (job_name, slot) DO NOTHING;
  SELECT lock_key INTO STRICT v_lock_key FROM {{schema}}.slot WHERE job_name = p_job_name AND slot = p_slot;
  IF NOT pg_try_advisory_lock(quote_ident({{schema:literal}})::regnamespace::oid::integer, v_lock_key) THEN
    RETURN NULL;
  END IF;
  -- Nobody else can hold this slot: what it left claimed is left over from a run that died.
  PERFORM {{schema}}.release_dead_claims();
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_slot(text, integer) IS
  'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it. Raises P0002 for an unknown processor.';

CREATE FUNCTION {{schema}}.close_slot(p_lock_key integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM {{active_jobs}} AS active USING {{schema}}.claim
  WHERE claim.lock_key = p_lock_key AND claim.pid = pg_backend_pid()
    AND active.query_hash = claim.query_hash AND active.partition_key = claim.partition_key;
  DELETE FROM {{schema}}.claim WHERE lock_key = p_lock_key AND pid = pg_backend_pid();
  PERFORM pg_advisory_unlock(quote_ident({{schema:literal}})::regnamespace::oid::integer, p_lock_key);
END
$$;
COMMENT ON FUNCTION {{schema}}.close_slot(integer) IS 'Gives back what the run has claimed and not begun, and unlocks its slot.';

CREATE FUNCTION {{schema}}.claim_batch(p_lock_key integer, p_limit integer) RETURNS integer[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_backoff interval := (SELECT make_interval(secs => retry_backoff_seconds) FROM {{schema}}.settings);
  v_claimed integer[];
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  -- One claims at a time: a second would not see the first one's claims and take nothing for an empty queue.
  PERFORM pg_advisory_xact_lock(quote_ident({{schema:literal}})::regnamespace::oid::integer, 0);
  WITH batch AS (
    SELECT queue.id, queue.hash, queue.partition_key, queue.partition_datatype, queue.query
    FROM {{fragment_queue}} AS queue
    WHERE NOT EXISTS (SELECT FROM {{schema}}.claim
                      WHERE claim.query_hash = queue.hash AND claim.partition_key = queue.partition_key)
      AND NOT EXISTS (SELECT FROM {{schema}}.attempt
                      WHERE attempt.query_hash = queue.hash AND attempt.partition_key = queue.partition_key
                        AND attempt.not_before > now())
      AND NOT EXISTS (SELECT FROM {{queries}} AS known
                      WHERE known.query_hash = queue.hash AND known.partition_key = queue.partition_key
                        AND known.status <> 'ok' AND known.last_seen > now()::timestamp - v_backoff)
    ORDER BY queue.priority DESC, queue.id
    LIMIT p_limit
    FOR UPDATE OF queue SKIP LOCKED
  ),
  claimed AS (
    INSERT INTO {{schema}}.claim (queue_id, query_hash, partition_key, partition_datatype, query, lock_key, pid)
    SELECT id, hash, partition_key, partition_datatype, query, p_lock_key, pg_backend_pid() FROM batch
    RETURNING queue_id
  )
  SELECT array_agg(claimed.queue_id ORDER BY queue.priority DESC, queue.id) INTO v_claimed
  FROM claimed JOIN {{fragment_queue}} AS queue ON queue.id = claimed.queue_id;
  RETURN v_claimed;
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_batch(integer, integer) IS
  'Claims up to p_limit fragments for the run that holds p_lock_key, highest priority first, and returns their queue ids, or NULL.';

CREATE TYPE {{schema}}.run_step AS (finished boolean, wait_seconds double precision, batch integer[]);
COMMENT ON TYPE {{schema}}.run_step IS 'What a run does next: end, sleep for so many seconds, or work on a batch.';

CREATE FUNCTION {{schema}}.next_step(p_job_name text, p_slot integer, p_lock_key integer, p_run_started timestamptz)
RETURNS {{schema}}.run_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  -- Even a full queue ends a run now and then, so that pg_cron's history shows it alive.
  c_slice CONSTANT interval := '60 s';
  v_now timestamptz := clock_timestamp();
  v_config {{processor_config}};
  v_next_start timestamptz;
  v_due timestamptz;
  v_frequency interval;
  v_batch integer[];
BEGIN
  SELECT * INTO v_config FROM {{processor_config}} WHERE job_name = p_job_name;
  IF NOT FOUND OR NOT v_config.enabled OR p_slot > v_config.max_parallel_jobs OR v_now >= p_run_started + c_slice THEN
    RETURN ROW(true, NULL, NULL)::{{schema}}.run_step;
  END IF;

  v_frequency := make_interval(secs => v_config.frequency_seconds);
  v_next_start := p_run_started + make_interval(secs => {{schema}}.start_interval(
    v_config.frequency_seconds, (SELECT pg_cron_version FROM {{schema}}.deployment)));
  SELECT next_due INTO STRICT v_due FROM {{schema}}.slot WHERE lock_key = p_lock_key;
  IF v_due > v_now + v_frequency THEN
    -- The frequency was shortened since: it counts from now.
    v_due := v_now + v_frequency;
    UPDATE {{schema}}.slot SET next_due = v_due WHERE lock_key = p_lock_key;
  END IF;
  IF v_due > v_now THEN
    IF v_due >= v_next_start THEN
      RETURN ROW(true, NULL, NULL)::{{schema}}.run_step;
    END IF;
    -- At most a second at a time, so that being disabled ends the run soon.
    RETURN ROW(false, least(extract(epoch FROM v_due - v_now), 1), NULL)::{{schema}}.run_step;
  END IF;

  v_batch := {{schema}}.claim_batch(p_lock_key, (SELECT batch_size FROM {{schema}}.settings));
  IF v_batch IS NULL THEN
    UPDATE {{schema}}.slot
    SET next_due = CASE WHEN next_due + v_frequency > v_now THEN next_due + v_frequency ELSE v_now + v_frequency END
    WHERE lock_key = p_lock_key;
    RETURN ROW(false, 0, NULL)::{{schema}}.run_step;
  END IF;
  RETURN ROW(false, NULL, v_batch)::{{schema}}.run_step;
END
$$;
COMMENT ON FUNCTION {{schema}}.next_step(text, integer, integer, timestamptz) IS
  'Decides, from the configuration as it is now, what the run does next. An empty queue makes the slot due again after frequency_seconds.';

CREATE FUNCTION {{schema}}.start_claim(p_queue_id integer, p_job_name text, p_slot integer) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  -- Slot 0 is a run by hand, which a disabled processor allows.
  PERFORM FROM {{processor_config}}
  WHERE job_name = p_job_name AND (p_slot = 0 OR (enabled AND p_slot <= max_parallel_jobs));
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE {{schema}}.claim SET started_at = clock_timestamp() WHERE queue_id = p_queue_id;
  INSERT INTO {{active_jobs}} (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT query_hash, partition_key, p_job_name, pid, clock_timestamp()::timestamp, query, partition_datatype
  FROM {{schema}}.claim WHERE queue_id = p_queue_id
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET job_id = EXCLUDED.job_id, pid = EXCLUDED.pid, started_at = EXCLUDED.started_at;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.start_claim(integer, text, integer) IS
  'Marks a claimed fragment as being worked on; false, and nothing marked, when the processor is not to work any more.';

CREATE FUNCTION {{schema}}.bits_to_widen(p_outcome text) RETURNS integer
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE WHEN p_outcome ~ '^[0-9]+$' THEN p_outcome::integer END
$$;
COMMENT ON FUNCTION {{schema}}.bits_to_widen(text) IS 'The bits an outcome of process_claim asks for, or NULL.';

CREATE FUNCTION {{schema}}.widen_for_claim(p_queue_id integer, p_bits integer, p_job_name text, p_source text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_claim {{schema}}.claim;
  v_message text;
BEGIN
  -- The row lock keeps the watchdog away: it cancels fragments, not this.
  SELECT * INTO STRICT v_claim FROM {{schema}}.claim WHERE queue_id = p_queue_id FOR UPDATE;
  BEGIN
    -- The clients' reads queue up behind a waiting ALTER TABLE: give up soon and try again later.
    PERFORM set_config('lock_timeout', '2s', true);
    PERFORM {{schema}}.widen_partition(v_claim.partition_key, p_bits);
    RETURN NULL;
  EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
      PERFORM {{schema}}.put_back(v_claim, p_job_name, p_source, 'the bit cache is in use and could not be widened', '5 s');
      RETURN 'put_back';
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS v_message = MESSAGE_TEXT;
      PERFORM {{schema}}.settle(v_claim, p_job_name, p_source, 'failed', 'failed',
        format('the bit cache could not be widened to %s bits: %s', p_bits, v_message), NULL);
      RETURN 'failed';
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.widen_for_claim(integer, integer, text, text) IS
  'Widens the bit cache for a claimed fragment and returns NULL, or how the fragment ended when that was not possible: put_back or failed.';

CREATE PROCEDURE {{schema}}.work_on_claim(
  p_queue_id integer, p_job_name text, p_slot integer, p_source text, INOUT p_outcome text DEFAULT NULL
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_go boolean;
  v_bits integer;
BEGIN
  v_go := {{schema}}.start_claim(p_queue_id, p_job_name, p_slot);
  COMMIT;
  IF NOT v_go THEN
    p_outcome := 'cancelled';
    RETURN;
  END IF;
  LOOP
    p_outcome := {{schema}}.process_claim(p_queue_id, p_job_name, p_source);
    COMMIT;
    v_bits := {{schema}}.bits_to_widen(p_outcome);
    EXIT WHEN v_bits IS NULL;
    -- In a transaction of its own: the lock it takes must not be held while a fragment is evaluated.
    p_outcome := {{schema}}.widen_for_claim(p_queue_id, v_bits, p_job_name, p_source);
    COMMIT;
    EXIT WHEN p_outcome IS NOT NULL;
  END LOOP;
END
$$;
COMMENT ON PROCEDURE {{schema}}.work_on_claim(integer, text, integer, text, text) IS
  'Works on one claimed fragment, with a COMMIT before and after. p_outcome says how it ended; cancelled means that the run shall end.';

CREATE FUNCTION {{schema}}.ends_run(p_outcome text) RETURNS boolean
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT p_outcome = 'cancelled' $$;
COMMENT ON FUNCTION {{schema}}.ends_run(text) IS 'Whether a run ends after this outcome of a fragment.';

CREATE PROCEDURE {{schema}}.run_processor(p_job_name text, p_slot integer)
LANGUAGE plpgsql
AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_lock_key integer;
  v_step {{schema}}.run_step;
  v_queue_id integer;
  v_outcome text;
  v_ends boolean := false;
BEGIN
  v_lock_key := {{schema}}.open_slot(p_job_name, p_slot);
  COMMIT;
  IF v_lock_key IS NULL THEN
    RETURN;
  END IF;
  LOOP
    v_step := {{schema}}.next_step(p_job_name, p_slot, v_lock_key, v_started);
    COMMIT;
    EXIT WHEN v_step.finished;
    IF v_step.batch IS NULL THEN
      PERFORM pg_catalog.pg_sleep(v_step.wait_seconds);
      COMMIT;
      CONTINUE;
    END IF;
    FOREACH v_queue_id IN ARRAY v_step.batch LOOP
      CALL {{schema}}.work_on_claim(v_queue_id, p_job_name, p_slot, 'cron', v_outcome);
      v_ends := {{schema}}.ends_run(v_outcome);
      EXIT WHEN v_ends;
    END LOOP;
    EXIT WHEN v_ends;
  END LOOP;
  PERFORM {{schema}}.close_slot(v_lock_key);
END
$$;
COMMENT ON PROCEDURE {{schema}}.run_processor(text, integer) IS
  'One run of a processor''s slot, as started by pg_cron: drains the queue in batches until it is empty or a minute is over. '
  'Ends at once while another run holds the slot, or when the processor is disabled.';

CREATE FUNCTION {{schema}}.claim_next(p_lock_key integer) RETURNS integer
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT ({{schema}}.claim_batch(p_lock_key, 1))[1]
$$;
COMMENT ON FUNCTION {{schema}}.claim_next(integer) IS 'Claims the next fragment for a run by hand; NULL when there is none.';

CREATE FUNCTION {{schema}}.open_manual_slot(p_job_name text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer := {{schema}}.open_slot(p_job_name, 0);
BEGIN
  IF v_lock_key IS NULL THEN
    RAISE EXCEPTION 'another run by hand of processor "%" is under way', p_job_name
      USING ERRCODE = 'lock_not_available', HINT = 'Wait until it has ended.';
  END IF;
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_manual_slot(text) IS
  'Takes slot 0 of a processor, for a run by hand. Raises 55P03 while another one is under way.';

CREATE PROCEDURE {{schema}}.process_now(p_job_name text, INOUT p_outcome text DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
  v_lock_key integer;
  v_queue_id integer;
BEGIN
  v_lock_key := {{schema}}.open_manual_slot(p_job_name);
  v_queue_id := {{schema}}.claim_next(v_lock_key);
  COMMIT;
  p_outcome := NULL;
  IF v_queue_id IS NOT NULL THEN
    CALL {{schema}}.work_on_claim(v_queue_id, p_job_name, 0, 'manual', p_outcome);
  END IF;
  PERFORM {{schema}}.close_slot(v_lock_key);
END
$$;
COMMENT ON PROCEDURE {{schema}}.process_now(text, text) IS
  'Works on the next queued fragment by hand, even if the processor is disabled. p_outcome: how it ended, NULL when nothing is due. '
  'The caller''s statement_timeout is the fragment''s.';

DO $grant$
DECLARE
  v_routine text;
BEGIN
  FOREACH v_routine IN ARRAY ARRAY[
    'open_slot(text, integer)', 'close_slot(integer)', 'claim_batch(integer, integer)',
    'next_step(text, integer, integer, timestamptz)', 'start_claim(integer, text, integer)', 'bits_to_widen(text)',
    'widen_for_claim(integer, integer, text, text)', 'work_on_claim(integer, text, integer, text, text)',
    'ends_run(text)', 'run_processor(text, integer)', 'claim_next(integer)', 'open_manual_slot(text)',
    'process_now(text, text)'
  ] LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %I.%s FROM PUBLIC', {{schema:literal}}, v_routine);
    EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %I.%s TO %I, %I',
      {{schema:literal}}, v_routine, {{cron_role:literal}}, {{client_role:literal}});
  END LOOP;
END
$grant$;
