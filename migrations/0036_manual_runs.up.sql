-- Runs by hand, in slot 0: one fragment in a session of its own, or several within a client's transaction.

CREATE FUNCTION {{schema}}.claim_by_hand(p_job_name text, p_lock_key integer, p_limit integer, p_own_session boolean)
RETURNS {{schema}}.run_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_config {{processor_config}};
  v_batch {{schema}}.batch;
  v_step {{schema}}.run_step;
BEGIN
  SELECT * INTO v_config FROM {{processor_config}} WHERE job_name = p_job_name;
  IF p_own_session THEN
    -- As in next_step: what is claimed must be known after a crash. A client's session does not try suspects.
    PERFORM set_config('synchronous_commit', 'local', true);
    v_batch := {{schema}}.claim_suspect(p_lock_key);
  END IF;
  IF v_batch.batch_id IS NULL THEN
    v_batch := {{schema}}.claim_batch(p_lock_key, p_limit, NULL, NULL);
  END IF;
  v_step.items := {{schema}}.items_of(v_batch.queue_ids);
  -- Without claimed_at: no other slot is given what a run by hand has claimed.
  v_step.context := ROW(p_job_name, p_lock_key, 'manual', p_own_session, v_batch.batch_id, NULL,
                        v_config.result_limit, v_config.default_bitsize);
  RETURN v_step;
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_by_hand(text, integer, integer, boolean) IS
  'Claims up to p_limit fragments for a run by hand, even if the processor is disabled; no items when there are none.';

CREATE PROCEDURE {{schema}}.process_now(p_job_name text, INOUT p_outcome text DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
  v_lock_key integer;
  v_step {{schema}}.run_step;
  v_end {{schema}}.chunk_end;
BEGIN
  v_lock_key := {{schema}}.open_manual_slot(p_job_name);
  v_step := {{schema}}.claim_by_hand(p_job_name, v_lock_key, 1, true);
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
COMMENT ON PROCEDURE {{schema}}.process_now(text, text) IS
  'Works on the next queued fragment by hand, even if the processor is disabled. p_outcome: how it ended, NULL when nothing is due. '
  'The caller''s statement_timeout is the fragment''s.';

CREATE FUNCTION {{schema}}.process_claimed(p_step {{schema}}.run_step) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_next integer := 1;
  v_end {{schema}}.chunk_end;
  v_items {{schema}}.batch_item[];
BEGIN
  WHILE v_next IS NOT NULL LOOP
    v_end := {{schema}}.process_chunk(p_step.items, v_next, p_step.context);
    v_next := v_end.next_item;
    WHILE v_end.narrow IS NOT NULL LOOP
      v_items := {{schema}}.widen_for(v_end.narrow, p_step.context);
      EXIT WHEN v_items IS NULL;
      v_end := {{schema}}.process_chunk(v_items, 1, p_step.context);
    END LOOP;
  END LOOP;
  DELETE FROM {{schema}}.batch WHERE batch_id = (p_step.context).batch_id;
  RETURN NOT v_end.ends_run;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_claimed({{schema}}.run_step) IS
  'Works on claimed fragments in the caller''s transaction; false when the caller was cancelled meanwhile.';

CREATE FUNCTION {{schema}}.process_batch(p_job_name text, p_count integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_batch CONSTANT integer := 100;
  v_lock_key integer := {{schema}}.open_manual_slot(p_job_name);
  v_step {{schema}}.run_step;
  v_processed integer := 0;
BEGIN
  WHILE v_processed < p_count LOOP
    v_step := {{schema}}.claim_by_hand(p_job_name, v_lock_key, least(c_batch, p_count - v_processed), false);
    EXIT WHEN v_step.items IS NULL;
    EXIT WHEN NOT {{schema}}.process_claimed(v_step);
    v_processed := v_processed + cardinality(v_step.items);
  END LOOP;
  PERFORM {{schema}}.close_slot(v_lock_key);
  RETURN v_processed;
EXCEPTION
  WHEN OTHERS OR query_canceled OR assert_failure THEN
    -- The claims are rolled back, the session's lock is not: a pooled connection would keep the slot for ever.
    PERFORM {{schema}}.close_slot(v_lock_key);
    RAISE;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_batch(text, integer) IS
  'Works on up to p_count queued fragments in the caller''s transaction, even if the processor is disabled. Returns how many.';

REVOKE ALL ON ROUTINE {{schema}}.claim_by_hand(text, integer, integer, boolean), {{schema}}.process_now(text, text),
  {{schema}}.process_claimed({{schema}}.run_step), {{schema}}.process_batch(text, integer) FROM PUBLIC;
GRANT EXECUTE ON ROUTINE {{schema}}.claim_by_hand(text, integer, integer, boolean), {{schema}}.process_now(text, text),
  {{schema}}.process_claimed({{schema}}.run_step), {{schema}}.process_batch(text, integer) TO {{cron_role}}, {{client_role}};
