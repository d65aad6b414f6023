-- The maintenance job: watchdog and housekeeping in one session. A run lasts until the next one
-- starts, looks once a second, and keeps no transaction open in between.

--! routine maintenance_is_needed
CREATE OR REPLACE FUNCTION {{schema}}.maintenance_is_needed(p_after_id integer) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- In the middle of the queue.
  IF p_after_id <> 0 OR {{schema}}.has_runs() THEN
    RETURN true;
  END IF;
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{processor_log:literal}});
  RETURN {{schema}}.watches_always()
    OR EXISTS (SELECT FROM {{processor_log}} WHERE created_at < {{schema}}.log_cutoff());
END
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_is_needed IS
  'Whether maintenance has something to watch or to clean up, or has to be there beforehand. '
  'p_after_id: where it is in the queue, 0 at the end.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_is_needed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_is_needed TO {{cron_role}};
--! end

--! routine clean_up_at_rest
CREATE OR REPLACE FUNCTION {{schema}}.clean_up_at_rest() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM {{schema}}.batch) OR EXISTS (
    SELECT FROM {{schema}}.runs_1 WHERE kind = 'maintenance')
  THEN
    RETURN;
  END IF;
  PERFORM {{schema}}.release_dead_batches();
  PERFORM {{schema}}.publish_running();
END
$$;
COMMENT ON FUNCTION {{schema}}.clean_up_at_rest IS
  'Does for the runs that have died what maintenance does, while that rests.';
REVOKE ALL ON FUNCTION {{schema}}.clean_up_at_rest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.clean_up_at_rest TO {{cron_role}};
--! end

--! routine maintenance_goes_on
CREATE OR REPLACE FUNCTION {{schema}}.maintenance_goes_on(
  p_started timestamptz, p_needed timestamptz
) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- A fragment may see to it that no other run can start: then this one must still be there.
  IF EXISTS (SELECT FROM {{schema}}.batch) THEN
    IF EXISTS (SELECT FROM {{schema}}.working_runs()) THEN
      RETURN true;
    END IF;
  END IF;
  IF {{schema}}.is_held() THEN
    RETURN false;
  END IF;
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  RETURN (
    -- Two looks, so that the hourly run of a deployment at rest soon gives its place back.
    SELECT clock_timestamp() < least(
             p_started + maintenance, coalesce(p_needed + idle, p_started + 2 * look))
      AND EXISTS (SELECT FROM {{processor_config}})
    FROM {{schema}}.clocks()
  );
END
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_goes_on IS
  'Whether a maintenance run that started at p_started, and was needed last at p_needed (NULL: not '
  'yet), should look once more: for a minute at most unless a fragment is at work.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_goes_on FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_goes_on TO {{cron_role}};
--! end

--! routine maintenance_step
CREATE OR REPLACE FUNCTION {{schema}}.maintenance_step(p_step integer, p_after_id integer)
RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF p_step > 5 THEN
    IF {{schema}}.is_held() THEN
      RETURN p_after_id;
    END IF;
  END IF;
  CASE p_step
    WHEN 1, 2, 3, 4 THEN
      IF EXISTS (SELECT FROM {{schema}}.batch) THEN
        CASE p_step
          WHEN 1 THEN PERFORM {{schema}}.cancel_overdue();
          WHEN 2 THEN PERFORM {{schema}}.release_results();
          WHEN 3 THEN PERFORM {{schema}}.share_waiting();
          WHEN 4 THEN PERFORM {{schema}}.release_dead_batches();
        END CASE;
      END IF;
    WHEN 5 THEN
      IF {{schema}}.has_runs() THEN
        PERFORM {{schema}}.publish_running();
      END IF;
    WHEN 6 THEN PERFORM {{schema}}.delete_old_log(1000);
    WHEN 7 THEN RETURN {{schema}}.delete_cached_duplicates(p_after_id, 5000);
    WHEN 8 THEN
      -- At the end of the queue.
      IF p_after_id = 0 AND EXISTS (SELECT FROM {{schema}}.attempt) THEN
        PERFORM {{schema}}.delete_idle_attempts();
      END IF;
  END CASE;
  RETURN p_after_id;
END
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_step IS
  'One of the eight steps of a look of maintenance, each for a transaction of its own. p_after_id: '
  'where to go on in the queue; returns where to go on the next time.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_step FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_step TO {{cron_role}};
--! end

--! routine open_maintenance
CREATE OR REPLACE FUNCTION {{schema}}.open_maintenance() RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  -- Shared, since two runs may overlap. First the lock, then the question, as in open_slot. Only
  -- tried: a fragment that has it to itself must not keep this run from ending it, and shows the
  -- same (runs_1).
  PERFORM pg_try_advisory_lock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 1);
  PERFORM {{schema}}.name_session();
  -- During a pause, somebody has to keep the timeouts of what is still at work.
  RETURN NOT EXISTS (SELECT FROM {{schema}}.holds_1 WHERE pid IS NOT NULL);
EXCEPTION
  WHEN out_of_memory THEN
    -- A fragment has taken every lock of the server: to end it is what this run is for.
    RETURN true;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_maintenance IS
  'Shows a run of maintenance (runs_1) until close_maintenance, or the end of the session. Returns '
  'false while up or down is at work, and maintenance has to leave.';
REVOKE ALL ON FUNCTION {{schema}}.open_maintenance FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_maintenance TO {{cron_role}};
--! end

--! routine close_maintenance
CREATE OR REPLACE FUNCTION {{schema}}.close_maintenance() RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_advisory_unlock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 1);
END
$$;
COMMENT ON FUNCTION {{schema}}.close_maintenance IS
  'Ends what open_maintenance shows.';
REVOKE ALL ON FUNCTION {{schema}}.close_maintenance FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.close_maintenance TO {{cron_role}};
--! end

--! routine run_maintenance
CREATE OR REPLACE PROCEDURE {{schema}}.run_maintenance()
LANGUAGE plpgsql
AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_needed timestamptz;
  v_after_id integer := 0;
  v_goes_on boolean := {{schema}}.open_maintenance();
  v_look double precision := pg_catalog.date_part('epoch', ({{schema}}.clocks()).look);
BEGIN
  COMMIT;
  WHILE v_goes_on LOOP
    FOR v_step IN 1 .. 8 LOOP
      BEGIN
        v_after_id := {{schema}}.maintenance_step(v_step, v_after_id);
      EXCEPTION
        WHEN out_of_memory THEN
          -- If this run ended here no other could follow it: nobody can connect.
          IF NOT {{schema}}.end_hoarder() THEN
            RAISE;
          END IF;
      END;
      COMMIT;
    END LOOP;
    BEGIN
      IF {{schema}}.maintenance_is_needed(v_after_id) THEN
        v_needed := pg_catalog.clock_timestamp();
      END IF;
      v_goes_on := {{schema}}.maintenance_goes_on(v_started, v_needed);
    EXCEPTION
      WHEN out_of_memory THEN
        v_goes_on := true; -- to the watchdog's next look, which deals with it
    END;
    COMMIT;
    EXIT WHEN NOT v_goes_on;
    PERFORM pg_catalog.pg_sleep(v_look);
    COMMIT;
  END LOOP;
  PERFORM {{schema}}.close_maintenance();
END
$$;
COMMENT ON PROCEDURE {{schema}}.run_maintenance IS
  'One run of the maintenance job, which lasts a minute, longer while a fragment is at work, and '
  'ends sooner when it is not needed. '
  'Enforces timeouts, takes care of batches whose run died or is held up, shows what is running, '
  'deletes old log rows, and removes cached duplicates from the queue. While processing is held it '
  'only watches what is still at work. Raises 53200 when the '
  'server has no lock left and no fragment is to blame.';
REVOKE ALL ON PROCEDURE {{schema}}.run_maintenance FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE {{schema}}.run_maintenance TO {{cron_role}};
--! end
