-- How claimed fragments end. Settling deletes the queue rows in the
-- transaction that writes the results.
-- docs/processor.md, "Settle", has the order of the locks.

--! routine delete_locked
CREATE OR REPLACE FUNCTION {{schema}}.delete_locked(p_results {{schema}}.item_result[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms'
AS $$
BEGIN
  DELETE FROM {{fragment_queue}} AS queue
  USING unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
    AND queue.id = (result.item).queue_id AND queue.hash = (result.item).query_hash
    AND queue.partition_key = (result.item).partition_key;
EXCEPTION
  WHEN lock_not_available OR deadlock_detected THEN
    -- A client is holding one of them for long. What stays queued is known to be settled, and is
    -- skipped when its turn comes.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_locked IS
  'Deletes the queue rows of settled fragments that another session had locked a moment ago, such '
  'as a run that was claiming.';
REVOKE ALL ON FUNCTION {{schema}}.delete_locked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_locked TO {{cron_role}}, {{client_role}};
--! end

--! routine settle_results
CREATE OR REPLACE FUNCTION {{schema}}.settle_results(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'write', {{queries:literal}}, {{processor_log:literal}}, {{fragment_queue:literal}},
    {{active_jobs:literal}});

  INSERT INTO {{queries}} (query_hash, partition_key, query, status, last_seen)
  SELECT (result.item).query_hash, (result.item).partition_key, (result.item).query,
         result.outcome, now()
  FROM unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout')
  ON CONFLICT (query_hash, partition_key) DO UPDATE
    SET query = EXCLUDED.query, status = EXCLUDED.status, last_seen = EXCLUDED.last_seen;

  INSERT INTO {{processor_log}}
    (job_id, query_hash, partition_key, status, error_message, rows_affected,
     execution_time_ms, execution_source, created_at)
  SELECT p_run.job_name, (result.item).query_hash, (result.item).partition_key,
         CASE WHEN result.outcome IN ('ok', 'limit') THEN 'success' ELSE result.outcome END,
         -- A fragment can raise an error of any length.
         left(CASE result.outcome
                WHEN 'limit' THEN format('more than result_limit = %s keys', p_run.result_limit)
                ELSE result.error
              END, 2000),
         result.rows_found,
         -- The clients' contract fixes the column's precision: a
         -- longer run is capped, never an error.
         least(extract(epoch FROM result.ended_at - result.started_at) * 1000, 9999999.999)
           ::numeric(10, 3),
         p_run.source, result.ended_at::timestamp
  FROM unnest(p_results) AS result
  WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped');

  -- Locked rows are not waited for here: a client that is raising a
  -- priority may hold its row for long.
  DELETE FROM {{fragment_queue}}
  WHERE id IN (
    SELECT queue.id
    FROM unnest(p_results) AS result
    JOIN {{fragment_queue}} AS queue
      ON queue.id = (result.item).queue_id AND queue.hash = (result.item).query_hash
      AND queue.partition_key = (result.item).partition_key
    WHERE result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
    FOR UPDATE OF queue SKIP LOCKED);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  IF v_deleted < cardinality(p_results) THEN
    PERFORM {{schema}}.delete_locked(p_results);
  END IF;

  -- A client has no rights on attempts. Maintenance deletes those of its fragments.
  IF p_run.own_session THEN
    DELETE FROM {{schema}}.attempt
    USING unnest(p_results) AS result
    WHERE (result.item).retried
      AND result.outcome IN ('ok', 'limit', 'failed', 'timeout', 'skipped')
      AND attempt.query_hash = (result.item).query_hash
      AND attempt.partition_key = (result.item).partition_key;
  END IF;

  -- Only fragments that ran for long have been published: maintenance looks once a second.
  DELETE FROM {{active_jobs}} AS active
  USING unnest(p_results) AS result
  WHERE result.ended_at - result.started_at > interval '0.2 s'
    AND active.query_hash = (result.item).query_hash
    AND active.partition_key = (result.item).partition_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.settle_results IS
  'Ends fragments for good: sets the status of the query (skipped leaves it as it is), writes a '
  'log row and deletes the queue row. Fragments that are put_back or too_narrow stay queued.';
REVOKE ALL ON FUNCTION {{schema}}.settle_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.settle_results TO {{cron_role}}, {{client_role}};
--! end

--! routine log_attempt
CREATE OR REPLACE FUNCTION {{schema}}.log_attempt(
  p_result {{schema}}.item_result, p_run {{schema}}.run_context
) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{processor_log:literal}});
  INSERT INTO {{processor_log}}
    (job_id, query_hash, partition_key, status, error_message, execution_source, created_at)
  VALUES (p_run.job_name, (p_result.item).query_hash, (p_result.item).partition_key, 'started',
          left(p_result.error, 2000), p_run.source, clock_timestamp()::timestamp);
  RETURN (
    SELECT count(*)
    FROM (
      SELECT log.id, log.status, max(log.id) FILTER (WHERE log.status <> 'started') OVER () AS ended
      FROM {{processor_log}} AS log
      WHERE log.query_hash = (p_result.item).query_hash
        AND log.partition_key = (p_result.item).partition_key
        AND log.created_at > now()::timestamp - interval '1 day'
        AND (log.status <> 'started' OR log.execution_source = p_run.source)
    ) AS recent
    WHERE recent.id > coalesce(recent.ended, 0));
END
$$;
COMMENT ON FUNCTION {{schema}}.log_attempt IS
  'Logs that an attempt within a client''s transaction, which has no rights on attempts, ended '
  'without a result. Returns how many such attempts there were within a day since the fragment was '
  'last settled.';
REVOKE ALL ON FUNCTION {{schema}}.log_attempt FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.log_attempt TO {{cron_role}}, {{client_role}};
--! end

--! routine put_back
CREATE OR REPLACE FUNCTION {{schema}}.put_back(
  p_result {{schema}}.item_result, p_wait interval, p_counts integer,
  p_run {{schema}}.run_context
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
  v_item {{schema}}.batch_item := p_result.item;
  v_attempts integer;
BEGIN
  IF p_run.own_session THEN
    INSERT INTO {{schema}}.attempt AS attempt
      (query_hash, partition_key, attempts, not_before, last_error)
    VALUES (v_item.query_hash, v_item.partition_key, p_counts,
            clock_timestamp() + p_wait, p_result.error)
    ON CONFLICT (query_hash, partition_key) DO UPDATE
      SET attempts = attempt.attempts + p_counts,
          not_before = EXCLUDED.not_before,
          last_error = EXCLUDED.last_error
    RETURNING attempts INTO v_attempts;
    v_item.retried := true;
  ELSIF p_counts > 0 THEN
    v_attempts := {{schema}}.log_attempt(p_result, p_run);
  END IF;
  v_result.item := v_item;
  v_result.outcome := 'put_back';
  IF v_attempts >= (SELECT max_attempts FROM {{schema}}.service) THEN
    v_result.outcome := 'failed';
    v_result.error := format(
      'set aside after %s attempts; the last one: %s', v_attempts, p_result.error);
  END IF;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.put_back IS
  'Records that an attempt ended without a result, for the reason in error, and '
  'that the fragment must not be claimed again before p_wait is over. p_counts: 1, '
  'or 0 when the fragment was not at fault. Returns the result as put_back, or as '
  'failed after max_attempts, still to be settled. Within a client''s transaction the '
  'attempt is logged, and only other such transactions wait, for a second.';
REVOKE ALL ON FUNCTION {{schema}}.put_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.put_back TO {{cron_role}}, {{client_role}};
--! end

--! routine store_and_settle
CREATE OR REPLACE FUNCTION {{schema}}.store_and_settle(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context,
  p_lock_timeout text DEFAULT '500ms'
)
RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Shorter than the time after which PostgreSQL looks for a deadlock: if a client and
-- this run block each other, the run gives way.
SET lock_timeout = '500ms'
AS $$
DECLARE
  v_partition record;
  v_results {{schema}}.item_result[] := '{}';
BEGIN
  PERFORM set_config('lock_timeout', p_lock_timeout, true);
  FOR v_partition IN
    SELECT result.outcome IN ('ok', 'limit') AS to_store, array_agg(result) AS results
    FROM unnest(p_results) AS result
    GROUP BY (result.item).partition_key, result.outcome IN ('ok', 'limit')
    -- In the same order in all runs, so that two of them cannot
    -- block each other over new partitions.
    ORDER BY (result.item).partition_key
  LOOP
    v_results := v_results || CASE
      WHEN v_partition.to_store
        THEN {{schema}}.store_partition(v_partition.results, p_run.default_bitsize)
      ELSE v_partition.results
    END;
  END LOOP;
  PERFORM {{schema}}.settle_results(v_results, p_run);
  RETURN v_results;
END
$$;
COMMENT ON FUNCTION {{schema}}.store_and_settle IS
  'Caches the sets that fragments returned and settles the fragments; returns the results as they '
  'are now. Raises 55P03 rather than wait for another session for longer than p_lock_timeout.';
REVOKE ALL ON FUNCTION {{schema}}.store_and_settle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.store_and_settle TO {{cron_role}}, {{client_role}};
--! end

--! routine settle_one
CREATE OR REPLACE FUNCTION {{schema}}.settle_one(
  p_result {{schema}}.item_result, p_run {{schema}}.run_context, p_lock_timeout text
)
RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
  v_state text;
  v_message text;
BEGIN
  RETURN ({{schema}}.store_and_settle(ARRAY[p_result], p_run, p_lock_timeout))[1];
EXCEPTION
  WHEN serialization_failure OR deadlock_detected OR lock_not_available
    OR string_data_length_mismatch THEN
    -- Other sessions are in the way, and no fragment must be set aside for that.
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
    v_result.error := format('%s: %s', v_state, v_message);
    RETURN {{schema}}.put_back(v_result, '1 s', 0, p_run);
  WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
    v_result.outcome := 'failed';
    v_result.error := format('%s: %s', v_state, v_message);
    PERFORM {{schema}}.settle_results(ARRAY[v_result], p_run);
    RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.settle_one IS
  'Like store_and_settle for one fragment, but an error from the '
  'cache ends the fragment as put_back or failed.';
REVOKE ALL ON FUNCTION {{schema}}.settle_one FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.settle_one TO {{cron_role}}, {{client_role}};
--! end

--! routine settle_each
CREATE OR REPLACE FUNCTION {{schema}}.settle_each(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_timeout text := '500ms';
  v_result {{schema}}.item_result;
  v_settled {{schema}}.item_result;
  v_results {{schema}}.item_result[] := '{}';
BEGIN
  FOREACH v_result IN ARRAY p_results LOOP
    v_settled := {{schema}}.settle_one(v_result, p_run, v_lock_timeout);
    v_results := v_results || v_settled;
    -- Settled fragments stay locked until all are settled, so a session that blocks us
    -- may be waiting for one of them. We have waited for it once. Waiting for it again
    -- at each fragment would be its deadlock.
    IF v_settled.outcome = 'put_back' AND v_result.outcome <> 'put_back' THEN
      v_lock_timeout := '1ms';
    END IF;
  END LOOP;
  RETURN v_results;
END
$$;
COMMENT ON FUNCTION {{schema}}.settle_each IS
  'Like store_and_settle, but settles each fragment by itself, so that none is lost because of '
  'another. Waits for other sessions for half a second in all.';
REVOKE ALL ON FUNCTION {{schema}}.settle_each FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.settle_each TO {{cron_role}}, {{client_role}};
--! end

--! routine confirm_skip
CREATE OR REPLACE FUNCTION {{schema}}.confirm_skip(
  p_result {{schema}}.item_result, p_held text[]
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
BEGIN
  -- From here on, a client that queues it is told that another session holds it. A client that
  -- queued it earlier may have evicted it first, and was told that it is queued.
  PERFORM FROM {{fragment_queue}} WHERE id = (p_result.item).queue_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND
    OR (p_result.item).partition_key <> ALL (p_held)
    OR NOT {{schema}}.is_cached((p_result.item).query_hash, (p_result.item).partition_key)
  THEN
    v_result.outcome := 'put_back';
  END IF;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.confirm_skip IS
  'Returns a skipped result unchanged if its fragment is still cached, else as put_back, with no '
  'wait before the next claim. p_held: the partition keys whose cache the transaction holds. It '
  'must hold the queue for writing.';
REVOKE ALL ON FUNCTION {{schema}}.confirm_skip FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.confirm_skip TO {{cron_role}}, {{client_role}};
--! end

--! routine finish
CREATE OR REPLACE FUNCTION {{schema}}.finish(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_results {{schema}}.item_result[];
  v_skipped text[] := ARRAY(
    SELECT DISTINCT (result.item).partition_key
    FROM unnest(p_results) AS result WHERE result.outcome = 'skipped'
    ORDER BY 1);
  v_held text[];
BEGIN
  IF v_skipped <> '{}' THEN
    PERFORM {{schema}}.hold_own_tables('write', {{fragment_queue:literal}});
    -- A cancel has undone what was held when they were skipped.
    v_held := {{schema}}.hold_caches(v_skipped);
  END IF;
  v_results := ARRAY(
    SELECT CASE result.outcome
             -- While processing is held, whoever holds it cancels: the fragment is not at fault.
             WHEN 'put_back' THEN {{schema}}.put_back(
               result, '1 s', CASE WHEN {{schema}}.is_held() THEN 0 ELSE 1 END, p_run)
             WHEN 'skipped' THEN {{schema}}.confirm_skip(result, v_held)
             ELSE result
           END
    FROM unnest(p_results) AS result);
  BEGIN
    RETURN {{schema}}.store_and_settle(v_results, p_run);
  EXCEPTION
    WHEN OTHERS THEN
      -- One of them cannot be stored. Settle each by itself, so that the others are not lost with
      -- it and its error is found again.
      RETURN {{schema}}.settle_each(v_results, p_run);
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.finish IS
  'Stores and settles the results of evaluated fragments, whatever error the cache raises for one '
  'of them. Returns the results as they are afterwards.';
REVOKE ALL ON FUNCTION {{schema}}.finish FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.finish TO {{cron_role}}, {{client_role}};
--! end
