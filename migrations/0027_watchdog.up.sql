-- What must happen beside the runs once a second: timeouts are enforced, results do not wait for
-- slow fragments, nothing waits in a batch for long, and the running fragments are shown.
-- docs/processor.md, "Maintenance" and "Timeouts".

--! routine hold_run
CREATE OR REPLACE FUNCTION {{schema}}.hold_run(
  p_lock_key integer, p_pid integer, p_started timestamptz, p_has_results boolean
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A run takes this lock before it leaves what it has evaluated, so what we find below stays true
  -- while we hold it.
  PERFORM FROM {{schema}}.slot WHERE lock_key = p_lock_key FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  RETURN EXISTS (
    SELECT FROM {{schema}}.working_runs() AS running
    WHERE running.pid = p_pid AND running.started_at = p_started
      AND running.has_results = p_has_results);
END
$$;
COMMENT ON FUNCTION {{schema}}.hold_run IS
  'Whether the run is still evaluating as working_runs() showed it. If so, that stays true until '
  'the caller''s transaction ends.';
REVOKE ALL ON FUNCTION {{schema}}.hold_run FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.hold_run TO {{cron_role}};
--! end

--! routine is_deaf
CREATE OR REPLACE FUNCTION {{schema}}.is_deaf(p_cancelled_at timestamptz) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A function that a fragment calls may catch the cancel. The cancel is repeated each second for
  -- this long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + ({{schema}}.clocks()).grace, false);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_deaf IS
  'Whether a fragment that was first cancelled at p_cancelled_at, and is still running, ignores '
  'cancels.';
REVOKE ALL ON FUNCTION {{schema}}.is_deaf FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.is_deaf TO {{cron_role}};
--! end

--! routine settle_terminated
CREATE OR REPLACE FUNCTION {{schema}}.settle_terminated(
  p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer,
  p_started timestamptz, p_outcome text, p_error text
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result;
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'read', {{fragment_queue:literal}}, {{queries:literal}}, {{partition_metadata:literal}});
  v_result.item := ({{schema}}.items_of(ARRAY[p_queue_id]))[1];
  -- Not the item itself, which is neither NULL nor NOT NULL while its partition has no datatype.
  IF (v_result.item).queue_id IS NOT NULL THEN
    v_result.outcome := p_outcome;
    v_result.error := p_error;
    v_result.started_at := p_started;
    v_result.ended_at := clock_timestamp();
    PERFORM {{schema}}.settle_results(
      ARRAY[v_result],
      ROW(p_job_name, p_lock_key, 'cron', true, NULL, NULL, NULL, NULL)::{{schema}}.run_context);
  END IF;
  DELETE FROM {{schema}}.batch WHERE batch_id = p_batch_id;
END
$$;
COMMENT ON FUNCTION {{schema}}.settle_terminated IS
  'Settles the fragment of a run that is terminated and cannot do so itself, so that it does not '
  'count as having died of it. Nothing is settled where a client has removed the fragment.';
REVOKE ALL ON FUNCTION {{schema}}.settle_terminated FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.settle_terminated TO {{cron_role}};
--! end

--! routine terminate_deaf
CREATE OR REPLACE FUNCTION {{schema}}.terminate_deaf(
  p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer,
  p_started timestamptz
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
BEGIN
  PERFORM {{schema}}.settle_terminated(
    p_job_name, p_lock_key, p_batch_id, p_queue_id, p_started, 'timeout',
    '57014: terminated, since it went on after it had been cancelled at its timeout');
  PERFORM pg_terminate_backend(p_pid);
EXCEPTION
  WHEN lock_not_available THEN
    -- A client holds the fragment's row at this moment. Maintenance looks again in a second.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.terminate_deaf IS
  'Ends the session of a run whose fragment cannot be cancelled, and settles the '
  'fragment as timed out. pg_cron starts the slot again.';
REVOKE ALL ON FUNCTION {{schema}}.terminate_deaf FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.terminate_deaf TO {{cron_role}};
--! end

--! routine cancel_overdue
CREATE OR REPLACE FUNCTION {{schema}}.cancel_overdue() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_unseen CONSTANT interval := ({{schema}}.clocks()).unseen;
  v_running record;
  v_stopped integer := 0;
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  -- A COMMIT inside a CALL does not re-arm statement_timeout, so the cancel must come from another
  -- session.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM {{schema}}.working_runs() AS running
    JOIN {{schema}}.batch USING (batch_id)
    JOIN {{processor_config}} AS config USING (job_name)
    WHERE running.slot > 0 AND NOT running.has_results
      AND clock_timestamp() - running.started_at
          >= make_interval(secs => config.timeout_seconds)
             + CASE WHEN running.is_exact THEN interval '0' ELSE v_unseen END
  LOOP
    CONTINUE WHEN NOT {{schema}}.hold_run(
      v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results);
    IF {{schema}}.is_deaf(v_running.cancelled_at) THEN
      PERFORM {{schema}}.terminate_deaf(
        v_running.job_name, v_running.lock_key, v_running.batch_id, v_running.queue_id::integer,
        v_running.pid, v_running.started_at);
    ELSE
      UPDATE {{schema}}.batch
      SET cancelled_at = coalesce(cancelled_at, clock_timestamp())
      WHERE batch_id = v_running.batch_id;
      PERFORM pg_cancel_backend(v_running.pid);
    END IF;
    v_stopped := v_stopped + 1;
  END LOOP;
  RETURN v_stopped;
END
$$;
COMMENT ON FUNCTION {{schema}}.cancel_overdue IS
  'Cancels every run that has worked on one fragment for longer than its timeout_seconds: the run '
  'marks the fragment and goes on. A run that still works on the fragment after the grace period '
  'is terminated. Returns how many runs it cancelled or terminated.';
REVOKE ALL ON FUNCTION {{schema}}.cancel_overdue FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.cancel_overdue TO {{cron_role}};
--! end

--! routine end_hoarder
-- The server's table of locks is full. Nobody can do anything then, not even connect, and it may be
-- a fragment that filled it. What finds and ends the run asks for no lock in that table: a few
-- relations of this database have room elsewhere, but none that all databases share.
CREATE OR REPLACE FUNCTION {{schema}}.end_hoarder() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
  c_most CONSTANT integer := 100; -- a run itself has three
  v_database CONSTANT oid := (
    SELECT datid FROM pg_stat_get_activity(pg_backend_pid()));
  v_run record;
BEGIN
  SELECT claims.*, held.queue_id, hoard.locks, activity.xact_start INTO v_run
  FROM (
    SELECT pid, objid::bigint AS queue_id
    FROM pg_lock_status()
    WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND database = v_database
      AND classid = {{schema}}.running_class()::oid
  ) AS held
  JOIN (
    SELECT pid, count(*) AS locks FROM pg_lock_status() WHERE locktype = 'advisory' GROUP BY pid
  ) AS hoard ON hoard.pid = held.pid AND hoard.locks > c_most
  JOIN {{schema}}.claims ON claims.pid = held.pid AND held.queue_id = ANY (claims.queue_ids)
  LEFT JOIN pg_stat_get_activity(held.pid) AS activity ON true
  ORDER BY hoard.locks DESC
  LIMIT 1;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM pg_terminate_backend(v_run.pid);
  FOR v_wait IN 1 .. 50 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM pg_lock_status() AS locks WHERE locks.pid = v_run.pid);
    PERFORM pg_sleep(0.1);
  END LOOP;
  -- Of several it may not have been the first one; then each is tried again, alone.
  IF cardinality(v_run.queue_ids) = 1 THEN
    BEGIN
      PERFORM {{schema}}.settle_terminated(
        v_run.job_name, v_run.lock_key, v_run.batch_id, v_run.queue_id::integer,
        coalesce(v_run.xact_start, v_run.claimed_at), 'failed',
        format('53200: terminated, since it held %s advisory locks and the server had none left',
               v_run.locks));
    EXCEPTION
      WHEN out_of_memory OR lock_not_available THEN
        -- Another slot was quicker to try it again. The next look ends that one, and each end
        -- counts as an attempt.
        NULL;
    END;
  END IF;
  RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.end_hoarder IS
  'Ends the session of the run that holds the most advisory locks, when these are more than a '
  'hundred, and settles its fragment as failed. Returns false when there is no such run. For when '
  'the server has no lock left (53200).';
REVOKE ALL ON FUNCTION {{schema}}.end_hoarder FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.end_hoarder TO {{cron_role}};
--! end

--! routine release_results
CREATE OR REPLACE FUNCTION {{schema}}.release_results() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_clocks record := {{schema}}.clocks();
  v_running record;
  v_cancelled integer := 0;
BEGIN
  -- Quick fragments share a transaction. Results that are ready must not wait
  -- for a slow fragment among them: the run is cancelled, settles what it has,
  -- and starts the slow one again, by itself.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM {{schema}}.working_runs() AS running
    JOIN {{schema}}.batch USING (batch_id)
    WHERE running.slot > 0 AND running.has_results
      AND clock_timestamp() - running.started_at
          >= v_clocks.held_up
             + CASE WHEN running.is_exact THEN interval '0' ELSE v_clocks.unseen END
  LOOP
    IF {{schema}}.hold_run(
      v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results
    ) THEN
      UPDATE {{schema}}.batch
      SET held_up = true, cancelled_at = coalesce(cancelled_at, clock_timestamp())
      WHERE batch_id = v_running.batch_id;
      IF {{schema}}.is_deaf(v_running.cancelled_at) THEN
        -- It is better to lose the results and evaluate those
        -- fragments again than to wait for this one.
        PERFORM pg_terminate_backend(v_running.pid);
      ELSE
        PERFORM pg_cancel_backend(v_running.pid);
      END IF;
      v_cancelled := v_cancelled + 1;
    END IF;
  END LOOP;
  RETURN v_cancelled;
END
$$;
COMMENT ON FUNCTION {{schema}}.release_results IS
  'Cancels every run whose finished results have been waiting for a '
  'slow fragment for a second. Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.release_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.release_results TO {{cron_role}};
--! end

--! routine share_waiting
CREATE OR REPLACE FUNCTION {{schema}}.share_waiting() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_sharing CONSTANT interval := ({{schema}}.clocks()).sharing;
  v_running record;
  v_shared integer := 0;
BEGIN
  -- By now the run itself leaves the rest of its batch (is_overdue), so it cannot turn to what this
  -- takes away from it.
  FOR v_running IN
    SELECT running.*
    FROM {{schema}}.working_runs() AS running
    JOIN {{schema}}.batch USING (batch_id)
    WHERE running.slot > 0 AND NOT running.has_results
      AND cardinality(batch.queue_ids) > 1
      AND clock_timestamp() > batch.claimed_at + v_sharing
  LOOP
    IF {{schema}}.hold_run(
      v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results
    ) THEN
      UPDATE {{schema}}.batch SET queue_ids = ARRAY[v_running.queue_id::integer]
      WHERE batch_id = v_running.batch_id;
      v_shared := v_shared + 1;
    END IF;
  END LOOP;
  RETURN v_shared;
END
$$;
COMMENT ON FUNCTION {{schema}}.share_waiting IS
  'Gives back what waits in a batch behind a slow fragment, for other slots to work on. Returns '
  'how many batches it did that for.';
REVOKE ALL ON FUNCTION {{schema}}.share_waiting FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.share_waiting TO {{cron_role}};
--! end

--! routine publish_running
CREATE OR REPLACE FUNCTION {{schema}}.publish_running() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{active_jobs:literal}});
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}});
  DELETE FROM {{active_jobs}} AS active
  WHERE NOT EXISTS (
    SELECT FROM {{schema}}.working_runs() AS running
    LEFT JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
    WHERE running.pid = active.pid AND NOT running.has_results
      -- The row stays, too, where a client has removed the fragment from the queue meanwhile.
      AND (queue.id IS NULL
           OR (queue.hash, queue.partition_key) = (active.query_hash, active.partition_key)));
  INSERT INTO {{active_jobs}}
    (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT queue.hash, queue.partition_key, running.job_name, running.pid,
         running.started_at::timestamp, queue.query, queue.partition_datatype
  FROM {{schema}}.working_runs() AS running
  JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
  WHERE NOT running.has_results
  -- In a fixed order, in case two maintenance runs overlap.
  ORDER BY queue.hash, queue.partition_key
  ON CONFLICT (query_hash, partition_key) DO NOTHING;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has locked the table. Showing what runs can wait; the rest of maintenance cannot.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.publish_running IS
  'Brings the clients'' table of active work up to date, so that it '
  'shows what is running now and nothing else.';
REVOKE ALL ON FUNCTION {{schema}}.publish_running FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.publish_running TO {{cron_role}};
--! end

--! routine has_runs
CREATE OR REPLACE FUNCTION {{schema}}.has_runs() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF EXISTS (SELECT FROM {{schema}}.batch) THEN
    RETURN true;
  END IF;
  PERFORM {{schema}}.hold_own_tables('read', {{active_jobs:literal}});
  RETURN EXISTS (SELECT FROM {{active_jobs}});
END
$$;
COMMENT ON FUNCTION {{schema}}.has_runs IS
  'Whether there is anything to watch: claims, or work that is displayed.';
REVOKE ALL ON FUNCTION {{schema}}.has_runs FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.has_runs TO {{cron_role}};
--! end
