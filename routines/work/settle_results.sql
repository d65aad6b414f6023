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
