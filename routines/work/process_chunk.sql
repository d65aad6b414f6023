CREATE OR REPLACE FUNCTION {{schema}}.process_chunk(
  p_items {{schema}}.batch_item[], p_first integer, p_run {{schema}}.run_context
) RETURNS {{schema}}.chunk_end
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET client_min_messages = error -- nobody reads the notices of a fragment
AS $$
DECLARE
  c_schema CONSTANT integer := quote_ident({{schema:literal}})::regnamespace::oid::integer;
  -- Until a chunk ends nobody sees its results, and a crash undoes them.
  c_items CONSTANT integer := 200;
  -- In a session of its own the transaction begins with the first fragment, and the watchdog sees
  -- that time.
  v_started timestamptz := CASE WHEN p_run.own_session THEN now() ELSE clock_timestamp() END;
  -- Maintenance may give what follows the first fragment of an overdue batch to others.
  v_until timestamptz := v_started
    + CASE WHEN {{schema}}.is_overdue(p_run) THEN interval '0' ELSE ({{schema}}.clocks()).chunk END;
  v_running_class integer := {{schema}}.running_class();
  v_item {{schema}}.batch_item;
  v_results {{schema}}.item_result[] := '{}';
  v_done integer := 0;
  v_held text[] := '{}';
  v_cancelled boolean := false;
  v_held_up boolean;
  v_cancel {{schema}}.item_result;
  v_end {{schema}}.chunk_end;
BEGIN
  IF p_run.own_session THEN
    -- A fragment can release the session's locks, or leave some of its own. This lock keeps the
    -- slot taken meanwhile. Afterwards the session holds the lock of the slot and no other, and no
    -- prepared statement.
    PERFORM pg_advisory_xact_lock(c_schema, p_run.lock_key),
            {{schema}}.show_work(),
            -- It does no harm to lose the last settled fragments in a crash: then they are still
            -- queued. To wait for the disk after each chunk would.
            set_config('synchronous_commit', 'off', true);
  END IF;
  BEGIN
    FOREACH v_item IN ARRAY p_items[p_first:] LOOP
      EXIT WHEN v_done > 0 AND (v_done >= c_items OR clock_timestamp() > v_until);
      -- Says what is evaluated: until the end of the transaction, so that no fragment can release
      -- the lock; shared, because many runs say at once that they are past their first fragment.
      IF p_run.own_session AND v_done < 2 THEN
        PERFORM pg_advisory_xact_lock_shared(
          v_running_class, CASE v_done WHEN 0 THEN v_item.queue_id ELSE 0 END);
      END IF;
      IF v_item.known AND v_item.partition_key <> ALL (v_held) THEN
        v_held := v_held || {{schema}}.hold_caches(ARRAY[v_item.partition_key]);
      END IF;
      IF v_item.known AND v_item.partition_key = ANY (v_held)
        AND {{schema}}.is_cached(v_item.query_hash, v_item.partition_key)
      THEN
        v_results := v_results || {{schema}}.skipped(v_item);
      ELSE
        v_results := v_results || {{schema}}.evaluate_item(v_item, p_run.result_limit);
      END IF;
      v_done := v_done + 1;
    END LOOP;
  EXCEPTION
    WHEN query_canceled THEN
      v_cancelled := true;
  END;

  IF p_run.own_session THEN
    -- From here on maintenance must not cancel; the rest is short. It cancels only while it holds
    -- this lock: so a cancel on its way ends this statement, and cannot hit another fragment.
    PERFORM FROM {{schema}}.slot WHERE lock_key = p_run.lock_key FOR UPDATE;
  END IF;
  v_end.ends_run := false;
  IF v_cancelled THEN
    IF p_run.own_session THEN
      SELECT held_up INTO v_held_up FROM {{schema}}.batch WHERE batch_id = p_run.batch_id;
    END IF;
    v_held_up := coalesce(v_held_up, false);
    -- Held up, with results that are ready: maintenance has cancelled the fragment because of them,
    -- and it starts again by itself.
    IF NOT v_held_up OR v_done = 0 THEN
      v_cancel := {{schema}}.judge_cancel(
        v_item, CASE v_done WHEN 0 THEN v_started ELSE clock_timestamp() END,
        p_run.job_name, v_held_up);
      v_results := v_results || v_cancel;
      v_done := v_done + 1;
      v_end.ends_run := v_cancel.outcome = 'put_back';
    END IF;
  END IF;

  v_results := {{schema}}.finish(v_results, p_run);
  IF p_run.own_session THEN
    PERFORM pg_advisory_unlock_all(), pg_advisory_lock(c_schema, p_run.lock_key);
    DEALLOCATE ALL;
  END IF;
  v_end.outcome := CASE
    WHEN v_end.ends_run THEN 'cancelled'
    ELSE v_results[cardinality(v_results)].outcome
  END;
  IF NOT v_end.ends_run AND p_first + v_done <= cardinality(p_items)
    AND NOT {{schema}}.is_overdue(p_run)
  THEN
    v_end.next_item := p_first + v_done;
  END IF;
  SELECT array_agg(result) INTO v_end.narrow
  FROM unnest(v_results) AS result WHERE result.outcome = 'too_narrow';
  RETURN v_end;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_chunk IS
  'Works on claimed fragments from place p_first of the batch on: on one, and on more while all '
  'of that takes no longer than a chunk should (clocks). In a session of the run''s own no lock '
  'that a fragment took survives.';
REVOKE ALL ON FUNCTION {{schema}}.process_chunk FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.process_chunk TO {{cron_role}}, {{client_role}};
