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
