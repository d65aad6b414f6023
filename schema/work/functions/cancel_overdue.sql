CREATE FUNCTION partitioncache.cancel_overdue() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_unseen CONSTANT interval := ("partitioncache".clocks()).unseen;
  v_running record;
  v_stopped integer := 0;
BEGIN
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_config"');
  -- A COMMIT inside a CALL does not re-arm statement_timeout, so the cancel must come from another
  -- session.
  FOR v_running IN
    SELECT running.*, batch.cancelled_at
    FROM "partitioncache".working_runs() AS running
    JOIN "partitioncache".batch USING (batch_id)
    JOIN "public"."partitioncache_queue_processor_config" AS config USING (job_name)
    WHERE running.slot > 0 AND NOT running.has_results
      AND clock_timestamp() - running.started_at
          >= make_interval(secs => config.timeout_seconds)
             + CASE WHEN running.is_exact THEN interval '0' ELSE v_unseen END
  LOOP
    CONTINUE WHEN NOT "partitioncache".hold_run(
      v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results);
    IF "partitioncache".is_deaf(v_running.cancelled_at) THEN
      PERFORM "partitioncache".terminate_deaf(
        v_running.job_name, v_running.lock_key, v_running.batch_id, v_running.queue_id::integer,
        v_running.pid, v_running.started_at);
    ELSE
      UPDATE "partitioncache".batch
      SET cancelled_at = coalesce(cancelled_at, clock_timestamp())
      WHERE batch_id = v_running.batch_id;
      PERFORM pg_cancel_backend(v_running.pid);
    END IF;
    v_stopped := v_stopped + 1;
  END LOOP;
  RETURN v_stopped;
END
$$;

COMMENT ON FUNCTION partitioncache.cancel_overdue() IS 'Cancels every run that has worked on one fragment for longer than its timeout_seconds: the run marks the fragment and goes on. A run that still works on the fragment after the grace period is terminated. Returns how many runs it cancelled or terminated.';

REVOKE ALL ON FUNCTION partitioncache.cancel_overdue() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.cancel_overdue() TO cron_role;
