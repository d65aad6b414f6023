-- What must happen beside the runs. A run of the maintenance job lasts until the next one starts, looks once a second,
-- and keeps no transaction open between.

CREATE FUNCTION {{schema}}.hold_run(p_lock_key integer, p_pid integer, p_started timestamptz, p_has_results boolean)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A run takes this lock before it leaves what it has evaluated: while it is held here, what is found below stays so.
  PERFORM FROM {{schema}}.slot WHERE lock_key = p_lock_key FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  RETURN EXISTS (
    SELECT FROM {{schema}}.working_runs() AS running
    WHERE running.pid = p_pid AND running.started_at = p_started AND running.has_results = p_has_results);
END
$$;
COMMENT ON FUNCTION {{schema}}.hold_run(integer, integer, timestamptz, boolean) IS
  'Whether the run is still evaluating as working_runs() showed it; if so it stays with that until the caller''s transaction ends.';

CREATE FUNCTION {{schema}}.is_deaf(p_cancelled_at timestamptz) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A function of a fragment may catch its cancel. It is cancelled again each second, for so long.
  RETURN coalesce(clock_timestamp() > p_cancelled_at + interval '10 s', false);
END
$$;
COMMENT ON FUNCTION {{schema}}.is_deaf(timestamptz) IS
  'Whether a fragment that was first cancelled then, and still goes on, does not let itself be cancelled.';

CREATE FUNCTION {{schema}}.terminate_deaf(
  p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer, p_started timestamptz
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
DECLARE
  v_result {{schema}}.item_result;
BEGIN
  -- Its run cannot settle it any more, and must not count as having died of it.
  v_result.item := ({{schema}}.items_of(ARRAY[p_queue_id]))[1];
  IF v_result.item IS NOT NULL THEN
    v_result.outcome := 'timeout';
    v_result.error := '57014: terminated, since it went on after it had been cancelled at its timeout';
    v_result.started_at := p_started;
    v_result.ended_at := clock_timestamp();
    PERFORM {{schema}}.settle_results(ARRAY[v_result],
      ROW(p_job_name, p_lock_key, 'cron', false, NULL, NULL, NULL, NULL)::{{schema}}.run_context);
  END IF;
  DELETE FROM {{schema}}.batch WHERE batch_id = p_batch_id;
  PERFORM pg_terminate_backend(p_pid);
EXCEPTION
  WHEN lock_not_available THEN
    -- A client holds its row at this moment: at the next look, in a second.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.terminate_deaf(text, integer, bigint, integer, integer, timestamptz) IS
  'Ends the session of a run whose fragment does not let itself be cancelled, and settles the fragment as timed out. pg_cron starts the slot again.';

CREATE FUNCTION {{schema}}.cancel_overdue() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_running record;
  v_stopped integer := 0;
BEGIN
  -- A COMMIT inside a CALL does not re-arm statement_timeout, so the cancel has to come from outside.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM {{schema}}.working_runs() AS running
    JOIN {{schema}}.batch USING (batch_id)
    JOIN {{processor_config}} AS config USING (job_name)
    WHERE running.slot > 0 AND NOT running.has_results
      AND clock_timestamp() - running.started_at
          >= make_interval(secs => config.timeout_seconds) + CASE WHEN running.is_exact THEN interval '0' ELSE interval '1 s' END
  LOOP
    CONTINUE WHEN NOT {{schema}}.hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results);
    IF {{schema}}.is_deaf(v_running.cancelled_at) THEN
      PERFORM {{schema}}.terminate_deaf(v_running.job_name, v_running.lock_key, v_running.batch_id, v_running.queue_id::integer,
        v_running.pid, v_running.started_at);
    ELSE
      UPDATE {{schema}}.batch SET cancelled_at = coalesce(cancelled_at, clock_timestamp()) WHERE batch_id = v_running.batch_id;
      PERFORM pg_cancel_backend(v_running.pid);
    END IF;
    v_stopped := v_stopped + 1;
  END LOOP;
  RETURN v_stopped;
END
$$;
COMMENT ON FUNCTION {{schema}}.cancel_overdue() IS
  'Cancels every run that works on one fragment for longer than its timeout_seconds: the run marks the fragment and goes on. One that goes '
  'on with the fragment for another ten seconds is terminated. Returns how many.';

CREATE FUNCTION {{schema}}.release_results() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_running record;
  v_cancelled integer := 0;
BEGIN
  -- Quick fragments share a transaction. When a slow one has come between, what is ready must not wait for it: the run
  -- is cancelled, settles what it has, and begins the slow one anew, by itself.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM {{schema}}.working_runs() AS running
    JOIN {{schema}}.batch USING (batch_id)
    WHERE running.slot > 0 AND running.has_results
      AND clock_timestamp() - running.started_at >= CASE WHEN running.is_exact THEN interval '1 s' ELSE interval '2 s' END
  LOOP
    IF {{schema}}.hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results) THEN
      UPDATE {{schema}}.batch SET held_up = true, cancelled_at = coalesce(cancelled_at, clock_timestamp())
      WHERE batch_id = v_running.batch_id;
      IF {{schema}}.is_deaf(v_running.cancelled_at) THEN
        -- Then the results are lost, and begun anew, rather than wait for it.
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
COMMENT ON FUNCTION {{schema}}.release_results() IS
  'Cancels every run in which results that are ready have been waiting for a slow fragment for a second. Returns how many.';

CREATE FUNCTION {{schema}}.share_waiting() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_running record;
  v_shared integer := 0;
BEGIN
  -- Later than a run itself leaves the rest of its batch (is_overdue), so that it cannot turn to what is taken from it here.
  FOR v_running IN
    SELECT running.*
    FROM {{schema}}.working_runs() AS running
    JOIN {{schema}}.batch USING (batch_id)
    WHERE running.slot > 0 AND NOT running.has_results
      AND cardinality(batch.queue_ids) > 1 AND clock_timestamp() > batch.claimed_at + interval '1.2 s'
  LOOP
    IF {{schema}}.hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results) THEN
      UPDATE {{schema}}.batch SET queue_ids = ARRAY[v_running.queue_id::integer] WHERE batch_id = v_running.batch_id;
      v_shared := v_shared + 1;
    END IF;
  END LOOP;
  RETURN v_shared;
END
$$;
COMMENT ON FUNCTION {{schema}}.share_waiting() IS
  'Gives back what waits in a batch behind a fragment that takes long, for other slots to work on. Returns how many batches there were.';

CREATE FUNCTION {{schema}}.publish_running() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
BEGIN
  DELETE FROM {{active_jobs}} AS active
  WHERE NOT EXISTS (
    SELECT FROM {{schema}}.working_runs() AS running
    LEFT JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
    WHERE running.pid = active.pid AND NOT running.has_results
      -- Also where a client has taken it out of the queue meanwhile.
      AND (queue.id IS NULL OR (queue.hash, queue.partition_key) = (active.query_hash, active.partition_key)));
  INSERT INTO {{active_jobs}} (query_hash, partition_key, job_id, pid, started_at, query, partition_datatype)
  SELECT queue.hash, queue.partition_key, running.job_name, running.pid,
         running.started_at::timestamp, queue.query, queue.partition_datatype
  FROM {{schema}}.working_runs() AS running
  JOIN {{fragment_queue}} AS queue ON queue.id = running.queue_id
  WHERE NOT running.has_results
  -- In one order, should two maintenance runs meet.
  ORDER BY queue.hash, queue.partition_key
  ON CONFLICT (query_hash, partition_key) DO NOTHING;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has the table to itself. To show what runs can wait, what else maintenance does cannot.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.publish_running() IS
  'Brings the clients'' display of active work up to date: what is running now, and nothing else.';

CREATE FUNCTION {{schema}}.has_runs() RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (SELECT FROM {{schema}}.batch) OR EXISTS (SELECT FROM {{active_jobs}})
$$;
COMMENT ON FUNCTION {{schema}}.has_runs() IS 'Whether there is anything to watch: claims, or work that is displayed.';

CREATE FUNCTION {{schema}}.delete_old_log(p_limit integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
DECLARE
  v_deleted integer;
BEGIN
  DELETE FROM {{processor_log}}
  WHERE id IN (
    SELECT id FROM {{processor_log}}
    WHERE created_at < now()::timestamp - make_interval(days => (SELECT log_retention_days FROM {{schema}}.settings))
    ORDER BY created_at
    LIMIT p_limit);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available THEN
    -- A client has the table to itself: at the next look.
    RETURN 0;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_old_log(integer) IS
  'Deletes up to p_limit log rows older than log_retention_days, the oldest first. Returns how many.';

CREATE FUNCTION {{schema}}.delete_idle_attempts() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted integer;
BEGIN
  DELETE FROM {{schema}}.attempt
  WHERE NOT EXISTS (SELECT FROM {{fragment_queue}} AS queue
                    WHERE queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_idle_attempts() IS
  'Forgets the attempts of fragments that a client has taken out of the queue. Returns how many.';

CREATE FUNCTION {{schema}}.delete_cached_of(p_partition_key text, p_queue_ids integer[]) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
DECLARE
  v_cache text := format('%I.%I', {{client_schema:literal}}, {{schema}}.cache_table_name(p_partition_key));
  v_locked integer[];
  v_deleted integer;
BEGIN
  IF to_regclass(v_cache) IS NULL THEN
    RETURN 0;
  END IF;
  -- Two statements: what was evicted and queued again before its row was locked must be seen to be missing.
  SELECT array_agg(id) INTO v_locked
  FROM (SELECT id FROM {{fragment_queue}} WHERE id = ANY (p_queue_ids) ORDER BY id FOR UPDATE SKIP LOCKED) AS queue;
  -- Status ok is not enough: a set that was evicted since is queued because it is missing.
  EXECUTE format('DELETE FROM %s AS queue USING %s AS cache WHERE queue.id = ANY ($1) AND cache.query_hash = queue.hash',
    {{fragment_queue:literal}}, v_cache)
    USING v_locked;
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN lock_not_available OR undefined_table THEN
    -- Somebody empties, drops or recreates the cache table. No timeout is kept while that is waited for, or once this run
    -- has ended with an error: at the next look.
    RETURN 0;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_cached_of(text, integer[]) IS
  'Deletes those of the queued fragments of a partition key that are in its cache table, unless that is locked. Returns how many.';

CREATE FUNCTION {{schema}}.delete_cached_duplicates(p_after_id integer, p_limit integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_last integer;
  v_known record;
BEGIN
  -- A stretch of the queue at a time: all of it would take long, and most of it is not cached.
  SELECT max(id) INTO v_last
  FROM (SELECT id FROM {{fragment_queue}} WHERE id > p_after_id ORDER BY id LIMIT p_limit) AS stretch;
  FOR v_known IN
    SELECT queue.partition_key, array_agg(queue.id) AS ids
    FROM {{fragment_queue}} AS queue
    JOIN {{queries}} AS known
      ON known.query_hash = queue.hash AND known.partition_key = queue.partition_key AND known.status = 'ok'
    WHERE queue.id > p_after_id AND queue.id <= v_last
      AND queue.id NOT IN (SELECT unnest(queue_ids) FROM {{schema}}.batch)
    GROUP BY queue.partition_key
  LOOP
    PERFORM {{schema}}.delete_cached_of(v_known.partition_key, v_known.ids);
  END LOOP;
  RETURN coalesce(v_last, 0);
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_cached_duplicates(integer, integer) IS
  'Deletes what is cached already from the next p_limit fragments of the queue after p_after_id. Returns the id to go on after; 0 at the end.';

CREATE FUNCTION {{schema}}.maintenance_goes_on(p_started timestamptz) RETURNS boolean
LANGUAGE sql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT clock_timestamp() < p_started + interval '59 s'
    AND EXISTS (SELECT FROM {{processor_config}})
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_goes_on(timestamptz) IS
  'Whether a maintenance run that started then shall look once more.';

CREATE PROCEDURE {{schema}}.run_maintenance()
LANGUAGE plpgsql
AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_after_id integer := 0;
  v_goes_on boolean;
BEGIN
  PERFORM {{schema}}.delete_idle_attempts();
  COMMIT;
  LOOP
    IF {{schema}}.has_runs() THEN
      PERFORM {{schema}}.cancel_overdue();
      COMMIT;
      PERFORM {{schema}}.release_results();
      COMMIT;
      PERFORM {{schema}}.share_waiting();
      COMMIT;
      PERFORM {{schema}}.release_dead_batches();
      COMMIT;
      PERFORM {{schema}}.publish_running();
    END IF;
    COMMIT;
    PERFORM {{schema}}.delete_old_log(1000);
    COMMIT;
    v_after_id := {{schema}}.delete_cached_duplicates(v_after_id, 5000);
    COMMIT;
    v_goes_on := {{schema}}.maintenance_goes_on(v_started);
    COMMIT;
    EXIT WHEN NOT v_goes_on;
    PERFORM pg_catalog.pg_sleep(1);
    COMMIT;
  END LOOP;
END
$$;
COMMENT ON PROCEDURE {{schema}}.run_maintenance() IS
  'One run of the maintenance job, as started by pg_cron every minute: timeouts, batches of dead runs or held up, display of what is '
  'running, retention of the log, cached duplicates in the queue.';

REVOKE ALL ON ROUTINE {{schema}}.hold_run(integer, integer, timestamptz, boolean),
  {{schema}}.is_deaf(timestamptz), {{schema}}.terminate_deaf(text, integer, bigint, integer, integer, timestamptz),
  {{schema}}.cancel_overdue(),
  {{schema}}.release_results(), {{schema}}.share_waiting(), {{schema}}.publish_running(), {{schema}}.has_runs(), {{schema}}.delete_old_log(integer),
  {{schema}}.delete_idle_attempts(), {{schema}}.delete_cached_of(text, integer[]),
  {{schema}}.delete_cached_duplicates(integer, integer), {{schema}}.maintenance_goes_on(timestamptz),
  {{schema}}.run_maintenance() FROM PUBLIC;
GRANT EXECUTE ON ROUTINE {{schema}}.hold_run(integer, integer, timestamptz, boolean),
  {{schema}}.is_deaf(timestamptz), {{schema}}.terminate_deaf(text, integer, bigint, integer, integer, timestamptz),
  {{schema}}.cancel_overdue(),
  {{schema}}.release_results(), {{schema}}.share_waiting(), {{schema}}.publish_running(), {{schema}}.has_runs(), {{schema}}.delete_old_log(integer),
  {{schema}}.delete_idle_attempts(), {{schema}}.delete_cached_of(text, integer[]),
  {{schema}}.delete_cached_duplicates(integer, integer), {{schema}}.maintenance_goes_on(timestamptz),
  {{schema}}.run_maintenance() TO {{cron_role}};
