-- Runs by hand, in slot 0: one fragment in a session of its own, or
-- several within a client's transaction.

--! routine manual_context
CREATE OR REPLACE FUNCTION {{schema}}.manual_context(p_job_name text)
RETURNS {{schema}}.run_context
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_run {{schema}}.run_context;
BEGIN
  -- Without claimed_at, no other slot is given what a run by hand has claimed.
  SELECT job_name, NULL, 'manual', false, NULL, NULL, result_limit, default_bitsize INTO v_run
  FROM {{processor_config}} WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found',
            HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  RETURN v_run;
END
$$;
COMMENT ON FUNCTION {{schema}}.manual_context IS
  'The context of a run by hand within the caller''s transaction, which claims nothing. Raises '
  'P0002 for an unknown processor.';
REVOKE ALL ON FUNCTION {{schema}}.manual_context FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.manual_context TO {{cron_role}}, {{client_role}};
--! end

--! routine claim_by_hand
CREATE OR REPLACE FUNCTION {{schema}}.claim_by_hand(
  p_job_name text, p_lock_key integer
) RETURNS {{schema}}.run_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_run {{schema}}.run_context;
  v_batch {{schema}}.batch;
  v_step {{schema}}.run_step;
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{fragment_queue:literal}}, {{queries:literal}},
    {{partition_metadata:literal}});
  PERFORM {{schema}}.hold_own_tables('look', {{processor_log:literal}}, {{active_jobs:literal}});
  v_run := {{schema}}.manual_context(p_job_name);
  -- As in next_step, a claim must be known after a crash.
  PERFORM set_config('synchronous_commit', 'local', true);
  v_batch := {{schema}}.claim_suspect(p_lock_key);
  IF v_batch.batch_id IS NULL THEN
    v_batch := {{schema}}.claim_batch(p_lock_key, 1, NULL, NULL);
  END IF;
  v_step.items := {{schema}}.items_of(v_batch.queue_ids);
  v_run.lock_key := p_lock_key;
  v_run.own_session := true;
  v_run.batch_id := v_batch.batch_id;
  v_step.context := v_run;
  RETURN v_step;
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_by_hand IS
  'Claims one fragment for a run by hand in a session of its own, even if the processor is '
  'disabled. Returns a step without items when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.claim_by_hand FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.claim_by_hand TO {{cron_role}};
--! end

--! routine process_now
CREATE OR REPLACE PROCEDURE {{schema}}.process_now(
  p_job_name text, INOUT p_outcome text DEFAULT NULL
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_lock_key integer;
  v_step {{schema}}.run_step;
  v_end {{schema}}.chunk_end;
BEGIN
  v_lock_key := {{schema}}.open_manual_slot(p_job_name);
  v_step := {{schema}}.claim_by_hand(p_job_name, v_lock_key);
  COMMIT;
  WHILE v_step.items IS NOT NULL LOOP
    v_end := {{schema}}.process_chunk(v_step.items, 1, v_step.context);
    COMMIT;
    EXIT WHEN v_end.narrow IS NULL;
    v_step.items := {{schema}}.widen_for(v_end.narrow, v_step.context);
    COMMIT;
  END LOOP;
  p_outcome := v_end.outcome;
  PERFORM {{schema}}.close_slot(v_lock_key);
END
$$;
COMMENT ON PROCEDURE {{schema}}.process_now IS
  'Processes the next queued fragment by hand, even if the processor is disabled. p_outcome: how '
  'it ended; NULL when nothing is due. The caller''s statement_timeout applies to the fragment.';
REVOKE ALL ON PROCEDURE {{schema}}.process_now FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE {{schema}}.process_now TO {{cron_role}};
--! end

--! routine session_locks
CREATE OR REPLACE FUNCTION {{schema}}.session_locks() RETURNS text[]
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(array_agg(format('%s %s %s %s', classid, objid, objsubid, mode)), '{}')
  FROM pg_locks
  WHERE pid = pg_backend_pid() AND locktype = 'advisory' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid <> {{schema}}.running_class()::oid
$$;
COMMENT ON FUNCTION {{schema}}.session_locks IS
  'The advisory locks of this session, except those that say what is being evaluated, as "class '
  'object kind mode", with the values that pg_locks shows.';
REVOKE ALL ON FUNCTION {{schema}}.session_locks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.session_locks TO {{cron_role}}, {{client_role}};
--! end

--! routine unlock_once
CREATE OR REPLACE FUNCTION {{schema}}.unlock_once(p_lock text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_class bigint := split_part(p_lock, ' ', 1);
  v_object bigint := split_part(p_lock, ' ', 2);
BEGIN
  -- A lock has one key of 64 bits or two of 32 bits; pg_locks shows them without their signs.
  RETURN CASE split_part(p_lock, ' ', 3) || split_part(p_lock, ' ', 4)
    WHEN '1ExclusiveLock' THEN pg_advisory_unlock((v_class << 32) | v_object)
    WHEN '1ShareLock' THEN pg_advisory_unlock_shared((v_class << 32) | v_object)
    WHEN '2ExclusiveLock' THEN pg_advisory_unlock(v_class::oid::integer, v_object::oid::integer)
    WHEN '2ShareLock' THEN pg_advisory_unlock_shared(v_class::oid::integer, v_object::oid::integer)
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.unlock_once IS
  'Releases one of session_locks() once. Returns false when the session does not hold it.';
REVOKE ALL ON FUNCTION {{schema}}.unlock_once FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.unlock_once TO {{cron_role}}, {{client_role}};
--! end

--! routine lock_again
CREATE OR REPLACE FUNCTION {{schema}}.lock_again(p_lock text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_class bigint := split_part(p_lock, ' ', 1);
  v_object bigint := split_part(p_lock, ' ', 2);
BEGIN
  RETURN CASE split_part(p_lock, ' ', 3) || split_part(p_lock, ' ', 4)
    WHEN '1ExclusiveLock' THEN pg_try_advisory_lock((v_class << 32) | v_object)
    WHEN '1ShareLock' THEN pg_try_advisory_lock_shared((v_class << 32) | v_object)
    WHEN '2ExclusiveLock' THEN
      pg_try_advisory_lock(v_class::oid::integer, v_object::oid::integer)
    WHEN '2ShareLock' THEN
      pg_try_advisory_lock_shared(v_class::oid::integer, v_object::oid::integer)
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.lock_again IS
  'Takes one of session_locks() for the session. Returns false when somebody else has taken it in '
  'the meantime.';
REVOKE ALL ON FUNCTION {{schema}}.lock_again FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.lock_again TO {{cron_role}}, {{client_role}};
--! end

--! routine restore_session
CREATE OR REPLACE FUNCTION {{schema}}.restore_session(
  p_locks text[], p_statements text[]
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Locks that last until the end of the transaction are not the session's own, and unlock_once would
-- warn about each of them.
SET client_min_messages = error
AS $$
DECLARE
  v_lock text;
  v_statement text;
BEGIN
  FOREACH v_lock IN ARRAY {{schema}}.session_locks() LOOP
    CONTINUE WHEN v_lock = ANY (p_locks);
    WHILE v_lock = ANY ({{schema}}.session_locks()) LOOP
      EXIT WHEN NOT {{schema}}.unlock_once(v_lock);
    END LOOP;
  END LOOP;
  FOREACH v_lock IN ARRAY p_locks LOOP
    IF v_lock <> ALL ({{schema}}.session_locks()) AND NOT {{schema}}.lock_again(v_lock) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'lock_not_available',
        MESSAGE = format(
          'a fragment has released an advisory lock of this session (%s), '
          'and another session holds it now', v_lock),
        HINT = 'Roll back; the fragments stay queued.';
    END IF;
  END LOOP;
  FOR v_statement IN
    SELECT name FROM pg_prepared_statements WHERE name <> ALL (p_statements)
  LOOP
    EXECUTE format('DEALLOCATE %I', v_statement);
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.restore_session IS
  'Undoes what fragments have done to a client''s session: releases advisory locks that are not '
  'in p_locks, deallocates prepared statements that are not in p_statements, and takes lost locks '
  'of p_locks again. Raises 55P03 when another session was quicker to take one.';
REVOKE ALL ON FUNCTION {{schema}}.restore_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.restore_session TO {{cron_role}}, {{client_role}};
--! end

--! routine process_locked
CREATE OR REPLACE FUNCTION {{schema}}.process_locked(
  p_items {{schema}}.batch_item[], p_run {{schema}}.run_context
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_locks text[] := {{schema}}.session_locks();
  v_statements text[] := ARRAY(SELECT name FROM pg_prepared_statements);
  v_next integer := 1;
  v_end {{schema}}.chunk_end;
  v_items {{schema}}.batch_item[];
BEGIN
  WHILE v_next IS NOT NULL LOOP
    v_end := {{schema}}.process_chunk(p_items, v_next, p_run);
    PERFORM {{schema}}.restore_session(v_locks, v_statements);
    v_next := v_end.next_item;
    WHILE v_end.narrow IS NOT NULL LOOP
      v_items := {{schema}}.widen_for(v_end.narrow, p_run);
      EXIT WHEN v_items IS NULL;
      v_end := {{schema}}.process_chunk(v_items, 1, p_run);
    END LOOP;
  END LOOP;
  RETURN NOT v_end.ends_run;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_locked IS
  'Processes fragments whose queue rows the caller''s transaction has locked. Returns '
  'false when the caller was cancelled meanwhile.';
REVOKE ALL ON FUNCTION {{schema}}.process_locked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.process_locked TO {{cron_role}}, {{client_role}};
--! end

--! routine process_batch
CREATE OR REPLACE FUNCTION {{schema}}.process_batch(
  p_job_name text, p_count integer
) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_batch CONSTANT integer := 100;
  v_run {{schema}}.run_context;
  v_queue_ids integer[];
  v_left integer[];
  v_goes_on boolean := true;
  v_processed integer := 0;
BEGIN
  PERFORM {{schema}}.require_no_hold();
  -- Shows this run (runs_1) until the caller's transaction ends.
  PERFORM pg_advisory_xact_lock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 2);
  PERFORM {{schema}}.require_fragment_role();
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{fragment_queue:literal}}, {{queries:literal}},
    {{partition_metadata:literal}}, {{processor_log:literal}});
  PERFORM {{schema}}.hold_own_tables('look', {{active_jobs:literal}});
  v_run := {{schema}}.manual_context(p_job_name);
  -- What was tried without a result a moment ago must not keep the others from their turn.
  v_left := ARRAY(
    SELECT queue.id
    FROM {{processor_log}} AS log
    JOIN {{fragment_queue}} AS queue
      ON queue.hash = log.query_hash AND queue.partition_key = log.partition_key
    WHERE log.status = 'started'
      AND log.created_at BETWEEN clock_timestamp()::timestamp - interval '1 s'
                             AND clock_timestamp()::timestamp);
  WHILE v_goes_on AND v_processed < p_count LOOP
    -- The locks of the rows are the claim: they last as long as this transaction, and so does what
    -- it does with them.
    v_queue_ids := {{schema}}.lock_unclaimed(
      NULL, NULL, least(c_batch, p_count - v_processed), v_left);
    EXIT WHEN v_queue_ids IS NULL;
    v_goes_on := {{schema}}.process_locked({{schema}}.items_of(v_queue_ids), v_run);
    v_processed := v_processed + cardinality(v_queue_ids);
    -- What could not be settled would be the next to be taken.
    v_left := v_left || ARRAY(SELECT id FROM {{fragment_queue}} WHERE id = ANY (v_queue_ids));
  END LOOP;
  RETURN v_processed;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_batch IS
  'Processes up to p_count queued fragments in the caller''s transaction and with the caller''s '
  'rights, even if the processor is disabled. Returns how many. Raises P0002 for an unknown '
  'processor, 28000 when fragments would run as another role than the fragment role, '
  '55000 while processing is held.';
REVOKE ALL ON FUNCTION {{schema}}.process_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.process_batch TO {{cron_role}}, {{client_role}};
--! end
