CREATE FUNCTION partitioncache.share_waiting() RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_running record;
  v_shared integer := 0;
BEGIN
  -- Later than a run itself leaves the rest of its batch (is_overdue), so that it cannot turn to what is taken from it here.
  FOR v_running IN
    SELECT running.*
    FROM "partitioncache".working_runs() AS running
    JOIN "partitioncache".batch USING (batch_id)
    WHERE running.slot > 0 AND NOT running.has_results
      AND cardinality(batch.queue_ids) > 1 AND clock_timestamp() > batch.claimed_at + interval '1.2 s'
  LOOP
    IF "partitioncache".hold_run(v_running.lock_key, v_running.pid, v_running.started_at, v_running.has_results) THEN
      UPDATE "partitioncache".batch SET queue_ids = ARRAY[v_running.queue_id::integer] WHERE batch_id = v_running.batch_id;
      v_shared := v_shared + 1;
    END IF;
  END LOOP;
  RETURN v_shared;
END
$$;

COMMENT ON FUNCTION partitioncache.share_waiting() IS 'Gives back what waits in a batch behind a fragment that takes long, for other slots to work on. Returns how many batches there were.';

REVOKE ALL ON FUNCTION partitioncache.share_waiting() FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.share_waiting() TO cron_role;
