-- Cleans up after runs that died: gives their claims back, and finds
-- out which fragment may have killed them.
-- docs/processor.md, "Crashes", says what is left at each step.

--! routine dead_batches
CREATE OR REPLACE FUNCTION {{schema}}.dead_batches(p_own_lock_key integer) RETURNS bigint[]
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  -- A run that has just taken a slot asks before it claims anything, so every batch of that slot is
  -- dead, even if the run's backend was given the pid of a dead one.
  SELECT array_agg(batch_id)
  FROM (SELECT batch_id
        FROM {{schema}}.batch
        WHERE lock_key = p_own_lock_key OR NOT {{schema}}.run_is_alive(pid, lock_key)
        FOR UPDATE SKIP LOCKED) AS dead
$$;
COMMENT ON FUNCTION {{schema}}.dead_batches IS
  'Locks and returns the batches whose runs are gone, and all batches with p_own_lock_key (a slot '
  'that the caller has just taken, or NULL).';
REVOKE ALL ON FUNCTION {{schema}}.dead_batches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.dead_batches TO {{cron_role}};
--! end

--! routine suspect_of
CREATE OR REPLACE FUNCTION {{schema}}.suspect_of(p_batches bigint[]) RETURNS integer
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    -- A crash ends all runs. If one of them was trying a suspect, that suspect is to blame.
    -- Otherwise a fragment is to blame only if no other can have caused it.
    WHEN count(*) FILTER (WHERE alone) = 1 THEN max(queue_id) FILTER (WHERE alone)
    WHEN count(DISTINCT queue_id) = 1 THEN max(queue_id)
  END
  FROM {{schema}}.batch
  CROSS JOIN unnest(queue_ids) AS queue_id
  JOIN {{fragment_queue}} AS queue ON queue.id = queue_id
  WHERE batch_id = ANY (p_batches)
$$;
COMMENT ON FUNCTION {{schema}}.suspect_of IS
  'The queue id of the one fragment that can be blamed for the death of these batches; '
  'NULL when it could be any of several, or none.';
REVOKE ALL ON FUNCTION {{schema}}.suspect_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.suspect_of TO {{cron_role}};
--! end

--! routine release_dead_batches
CREATE OR REPLACE FUNCTION {{schema}}.release_dead_batches(
  p_own_lock_key integer DEFAULT NULL
) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_batches bigint[] := {{schema}}.dead_batches(p_own_lock_key);
  v_blamed integer;
  v_dead record;
  v_result {{schema}}.item_result;
  v_run {{schema}}.run_context;
BEGIN
  IF v_batches IS NULL THEN
    RETURN 0;
  END IF;
  PERFORM {{schema}}.hold_own_tables('write', {{active_jobs:literal}});
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}});
  v_blamed := {{schema}}.suspect_of(v_batches);

  INSERT INTO {{schema}}.attempt
    (query_hash, partition_key, attempts, not_before, last_error, suspect)
  SELECT DISTINCT queue.hash, queue.partition_key, 0, clock_timestamp(), 'its run died', true
  FROM {{schema}}.batch
  CROSS JOIN unnest(queue_ids) AS queue_id
  JOIN {{fragment_queue}} AS queue ON queue.id = queue_id
  WHERE batch_id = ANY (v_batches)
  ON CONFLICT (query_hash, partition_key) DO UPDATE SET suspect = true;

  SELECT batch.pid, batch.lock_key, batch.claimed_at, slot.job_name,
         queue.id, queue.hash, queue.partition_key, queue.query
  INTO v_dead
  FROM {{schema}}.batch
  JOIN {{schema}}.slot USING (lock_key)
  JOIN {{fragment_queue}} AS queue ON queue.id = ANY (batch.queue_ids)
  WHERE batch.batch_id = ANY (v_batches) AND queue.id = v_blamed
  LIMIT 1;
  IF FOUND THEN
    v_result.item := ROW(
      v_dead.id, v_dead.hash, v_dead.partition_key, NULL, v_dead.query, NULL, false, true);
    v_result.error := format(
      'the backend %s that worked on it since %s is gone', v_dead.pid, v_dead.claimed_at);
    v_result.started_at := v_dead.claimed_at;
    v_result.ended_at := clock_timestamp();
    v_run := ROW(v_dead.job_name, v_dead.lock_key, 'unknown', true, NULL, NULL, NULL, NULL);
    PERFORM {{schema}}.settle_results(
      ARRAY[{{schema}}.put_back(v_result, '0 s', 1, v_run)], v_run);
  END IF;

  DELETE FROM {{active_jobs}} AS active
  USING {{schema}}.batch, {{fragment_queue}} AS queue
  WHERE batch.batch_id = ANY (v_batches) AND queue.id = ANY (batch.queue_ids)
    AND active.query_hash = queue.hash AND active.partition_key = queue.partition_key;
  DELETE FROM {{schema}}.batch WHERE batch_id = ANY (v_batches);
  RETURN cardinality(v_batches);
END
$$;
COMMENT ON FUNCTION {{schema}}.release_dead_batches IS
  'Gives back the fragments of dead runs as suspects, which are tried alone, and counts '
  'an attempt for the one that is to blame. p_own_lock_key: a slot that the caller has '
  'just taken. Returns how many batches there were.';
REVOKE ALL ON FUNCTION {{schema}}.release_dead_batches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.release_dead_batches TO {{cron_role}};
--! end
