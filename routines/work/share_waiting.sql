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
