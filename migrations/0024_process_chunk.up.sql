-- Processes claimed fragments, a few quick ones at a time. They share a
-- transaction, because beginning and ending one, and settling each fragment by
-- itself, costs as much as a quick fragment does.
-- docs/processor.md, "A slow fragment among quick ones".

CREATE TYPE {{schema}}.chunk_end AS (
  next_item integer,
  outcome   text,
  narrow    {{schema}}.item_result[],
  ends_run  boolean
);
COMMENT ON TYPE {{schema}}.chunk_end IS
  'How a chunk ended. next_item: the place in the batch at which to go on, NULL when the run is '
  'done with the batch. outcome: that of the last fragment. narrow: the fragments whose bit cache '
  'must be widened first, NULL for none. ends_run: the run was cancelled.';

--! routine skipped
CREATE OR REPLACE FUNCTION {{schema}}.skipped(
  p_item {{schema}}.batch_item
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result;
BEGIN
  v_result.item := p_item;
  v_result.outcome := 'skipped';
  v_result.started_at := clock_timestamp();
  v_result.ended_at := v_result.started_at;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.skipped IS 'The result of a fragment that is already cached.';
REVOKE ALL ON FUNCTION {{schema}}.skipped FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.skipped TO {{cron_role}}, {{client_role}};
--! end

--! routine judge_cancel
CREATE OR REPLACE FUNCTION {{schema}}.judge_cancel(
  p_item {{schema}}.batch_item, p_started timestamptz, p_job_name text, p_held_up boolean
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result;
  v_timeout integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  -- Read it now: the watchdog reads it live, and it may have changed since the fragment began.
  SELECT timeout_seconds INTO v_timeout FROM {{processor_config}} WHERE job_name = p_job_name;
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
COMMENT ON FUNCTION {{schema}}.judge_cancel IS
  'What a cancel means for a fragment that was begun at p_started: timeout when its time is over; '
  'failed when it made maintenance believe that results are waiting (p_held_up); else put_back, '
  'and the run must end.';
REVOKE ALL ON FUNCTION {{schema}}.judge_cancel FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.judge_cancel TO {{cron_role}}, {{client_role}};
--! end

--! routine is_overdue
CREATE OR REPLACE FUNCTION {{schema}}.is_overdue(p_run {{schema}}.run_context) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce(clock_timestamp() > p_run.claimed_at + ({{schema}}.clocks()).overdue, false);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_overdue IS
  'Whether the run''s batch takes longer than it should; then the run leaves the rest to others.';
REVOKE ALL ON FUNCTION {{schema}}.is_overdue FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_overdue TO {{cron_role}}, {{client_role}};
--! end

--! routine show_work
-- Read in the pg_cron database (at_work there), which has the same functions for the keys, and
-- knows of this one no more than its name. As UTF-8, since the encodings may differ.
CREATE OR REPLACE FUNCTION {{schema}}.show_work() RETURNS void
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  -- Not taken only where somebody else has it, and then it shows the same.
  SELECT pg_try_advisory_xact_lock_shared(
    hashtext('pcache-migrate at work'),
    hashtext(encode(convert_to({{schema:literal}}, 'UTF8'), 'hex')))
$$;
COMMENT ON FUNCTION {{schema}}.show_work IS
  'Shows until the end of the transaction that this deployment has work at hand, by an advisory '
  'lock: dispatch in the pg_cron database looks for it, and wakes the jobs that rest.';
REVOKE ALL ON FUNCTION {{schema}}.show_work FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.show_work TO {{cron_role}};
--! end

--! routine process_chunk
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
--! end

--! routine widen_for
CREATE OR REPLACE FUNCTION {{schema}}.widen_for(
  p_narrow {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS {{schema}}.batch_item[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Clients' reads queue up behind an ALTER TABLE that waits, so give up soon and try again later.
SET lock_timeout = '2s'
AS $$
DECLARE
  v_narrow {{schema}}.item_result;
  v_state text;
  v_message text;
  v_widened {{schema}}.batch_item[];
BEGIN
  -- The widest comes first, so that each table is rewritten only once.
  FOR v_narrow IN
    SELECT * FROM unnest(p_narrow) AS narrow ORDER BY {{schema}}.bits_needed(narrow) DESC
  LOOP
    BEGIN
      PERFORM {{schema}}.widen_partition(
        (v_narrow.item).partition_key, {{schema}}.bits_needed(v_narrow)::integer);
      v_widened := v_widened || v_narrow.item;
    EXCEPTION
      WHEN lock_not_available OR deadlock_detected THEN
        v_narrow.error := 'the bit cache is in use and could not be widened';
        PERFORM {{schema}}.put_back(v_narrow, '5 s', 0, p_run);
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        v_narrow.outcome := 'failed';
        v_narrow.error := format('%s: the bit cache could not be widened to %s bits: %s',
          v_state, {{schema}}.bits_needed(v_narrow), v_message);
        PERFORM {{schema}}.settle_results(ARRAY[v_narrow], p_run);
    END;
  END LOOP;
  RETURN v_widened;
END
$$;
COMMENT ON FUNCTION {{schema}}.widen_for IS
  'Widens the bit caches that are too narrow for these results, and returns '
  'the fragments to be processed again; NULL for none. Fragments whose cache '
  'is in use stay queued, for at least five seconds.';
REVOKE ALL ON FUNCTION {{schema}}.widen_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.widen_for TO {{cron_role}}, {{client_role}};
--! end
