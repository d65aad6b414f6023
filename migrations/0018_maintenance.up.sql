-- What must happen beside the runs: timeouts, claims of dead runs, retention of the log. A run of the
-- maintenance job lasts until the next one starts, looks once a second, and keeps no transaction open between.

CREATE FUNCTION {{schema}}.cancel_overdue() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_claim record;
  v_cancelled integer := 0;
BEGIN
  -- A COMMIT inside a CALL does not re-arm statement_timeout, so the cancel has to come from outside. The row
  -- lock keeps the run from leaving this fragment while it is being cancelled: the next one cannot be hit.
  FOR v_claim IN
    SELECT claim.queue_id, claim.pid
    FROM {{schema}}.claim
    JOIN {{schema}}.slot USING (lock_key)
    JOIN {{processor_config}} AS config USING (job_name)
    WHERE slot.slot > 0
      AND clock_timestamp() - claim.started_at >= make_interval(secs => config.timeout_seconds)
      AND {{schema}}.run_is_alive(claim.pid, claim.lock_key)
    FOR UPDATE OF claim SKIP LOCKED
  LOOP
    PERFORM pg_cancel_backend(v_claim.pid);
    v_cancelled := v_cancelled + 1;
  END LOOP;
  RETURN v_cancelled;
END
$$;
COMMENT ON FUNCTION {{schema}}.cancel_overdue() IS
  'Cancels every run that works on one fragment for longer than its timeout_seconds; the run marks the fragment and goes on. Returns how many.';

CREATE FUNCTION {{schema}}.delete_old_log() RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted bigint;
BEGIN
  DELETE FROM {{processor_log}}
  WHERE created_at < now()::timestamp - make_interval(days => (SELECT log_retention_days FROM {{schema}}.settings));
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_old_log() IS 'Deletes log rows older than log_retention_days. Returns how many.';

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
  v_goes_on boolean;
BEGIN
  PERFORM {{schema}}.delete_old_log();
  COMMIT;
  LOOP
    PERFORM {{schema}}.cancel_overdue();
    COMMIT;
    PERFORM {{schema}}.release_dead_claims();
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
  'One run of the maintenance job, as started by pg_cron every minute: timeouts, claims of dead runs, log retention.';

REVOKE ALL ON FUNCTION {{schema}}.cancel_overdue(), {{schema}}.delete_old_log(), {{schema}}.maintenance_goes_on(timestamptz) FROM PUBLIC;
REVOKE ALL ON PROCEDURE {{schema}}.run_maintenance() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.cancel_overdue(), {{schema}}.delete_old_log(), {{schema}}.maintenance_goes_on(timestamptz)
  TO {{cron_role}};
GRANT EXECUTE ON PROCEDURE {{schema}}.run_maintenance() TO {{cron_role}};
