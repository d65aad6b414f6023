CREATE FUNCTION partitioncache.release_results() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_running record;
  v_cancelled integer := 0;
BEGIN
  -- Quick fragments share a transaction. When a slow one has come between, what is ready must not wait for it: the run
  -- is cancelled, settles what it has, and begins the slow one anew, by itself.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM "partitioncache".working_runs() AS running
    JOIN "partitioncache".batch USING (batch_id)
    WHERE running.slot > 0 AND running.has_results
      AND clock_timestamp() - running.started_at >= CASE WHEN running.is_exact THEN interval '1 s' ELSE interval '2 s' END
  LOOP
    IF "partitioncache".hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results) THEN
      UPDATE "partitioncache".batch SET held_up = true, cancelled_at = coalesce(cancelled_at, clock_timestamp())
      WHERE batch_id = v_running.batch_id;
      IF "partitioncache".is_deaf(v_running.cancelled_at) THEN
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

COMMENT ON FUNCTION partitioncache.release_results() IS 'Cancels every run in which results that are ready have been waiting for a slow fragment for a second. Returns how many.';

REVOKE ALL ON FUNCTION partitioncache.release_results() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.release_results() TO cron_role;
