CREATE FUNCTION partitioncache.idle_step(p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_frequency_seconds integer, p_due timestamp with time zone, p_now timestamp with time zone) RETURNS partitioncache.run_step
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_clocks record := "partitioncache".clocks();
  v_frequency interval := make_interval(secs => p_frequency_seconds);
  v_next_start timestamptz;
  v_step "partitioncache".run_step;
BEGIN
  IF p_due <= p_now THEN
    PERFORM "partitioncache".clean_up_at_rest();
    v_step.next_due :=
      CASE WHEN p_due + v_frequency > p_now THEN p_due ELSE p_now END + v_frequency;
  ELSE
    -- A frequency that was shortened meanwhile counts from now.
    v_step.next_due := least(p_due, p_now + v_frequency);
  END IF;
  -- An idle run stays for a while: each start costs a session and a row in pg_cron's history. A
  -- first slot is there for what comes; the others' places are wanted by other deployments.
  v_next_start := p_run_started + CASE
    WHEN p_slot = 1 AND v_frequency <= v_clocks.idle THEN v_clocks.run
    ELSE greatest(v_clocks.idle, make_interval(secs => "partitioncache".start_interval(
      p_frequency_seconds, (SELECT pg_cron_version FROM "partitioncache".deployment))))
  END;
  v_step.finished := v_step.next_due >= v_next_start;
  IF v_step.finished THEN
    -- Only here, for the next run: an idle run writes nothing.
    UPDATE "partitioncache".slot SET next_due = v_step.next_due WHERE lock_key = p_lock_key;
  END IF;
  -- In short steps, so that a run ends soon after its processor was disabled.
  v_step.wait_seconds := extract(epoch FROM least(v_step.next_due - p_now, v_clocks.look));
  RETURN v_step;
END
$$;

COMMENT ON FUNCTION partitioncache.idle_step(p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_frequency_seconds integer, p_due timestamp with time zone, p_now timestamp with time zone) IS 'What a run does that has nothing to process: waits, or ends when it would not look at the queue again before pg_cron starts the slot anyhow. p_due: when the queue was due to be looked at, which it was if that is not after p_now. An empty queue makes the slot due again after p_frequency_seconds.';

REVOKE ALL ON FUNCTION partitioncache.idle_step(p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_frequency_seconds integer, p_due timestamp with time zone, p_now timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.idle_step(p_slot integer, p_lock_key integer, p_run_started timestamp with time zone, p_frequency_seconds integer, p_due timestamp with time zone, p_now timestamp with time zone) TO cron_role;
