-- The maintenance job: watchdog and housekeeping in one session. A run lasts until the next one
-- starts, looks once a second, and keeps no transaction open in between.

--! routine maintenance_goes_on
CREATE OR REPLACE FUNCTION {{schema}}.maintenance_goes_on(p_started timestamptz) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  RETURN (
    SELECT clock_timestamp() < p_started + ({{schema}}.clocks()).maintenance
      AND EXISTS (SELECT FROM {{processor_config}})
  );
END
$$;
COMMENT ON FUNCTION {{schema}}.maintenance_goes_on IS
  'Whether a maintenance run that started at p_started should look once more.';
REVOKE ALL ON FUNCTION {{schema}}.maintenance_goes_on FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.maintenance_goes_on TO {{cron_role}};
--! end

--! routine run_maintenance
CREATE OR REPLACE PROCEDURE {{schema}}.run_maintenance()
LANGUAGE plpgsql
AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_after_id integer := 0;
  v_goes_on boolean;
  v_look double precision := pg_catalog.date_part('epoch', ({{schema}}.clocks()).look);
BEGIN
  PERFORM {{schema}}.delete_idle_attempts();
  COMMIT;
  LOOP
    IF {{schema}}.has_runs() THEN
      PERFORM {{schema}}.cancel_overdue();
      COMMIT;
      PERFORM {{schema}}.release_results();
      COMMIT;
      PERFORM {{schema}}.share_waiting();
      COMMIT;
      PERFORM {{schema}}.release_dead_batches();
      COMMIT;
      PERFORM {{schema}}.publish_running();
    END IF;
    COMMIT;
    PERFORM {{schema}}.delete_old_log(1000);
    COMMIT;
    v_after_id := {{schema}}.delete_cached_duplicates(v_after_id, 5000);
    COMMIT;
    v_goes_on := {{schema}}.maintenance_goes_on(v_started);
    COMMIT;
    EXIT WHEN NOT v_goes_on;
    PERFORM pg_catalog.pg_sleep(v_look);
    COMMIT;
  END LOOP;
END
$$;
COMMENT ON PROCEDURE {{schema}}.run_maintenance IS
  'One run of the maintenance job, which lasts a minute. Enforces timeouts, takes '
  'care of batches whose run died or is held up, shows what is running, deletes old log rows, '
  'and removes cached duplicates from the queue.';
REVOKE ALL ON PROCEDURE {{schema}}.run_maintenance FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE {{schema}}.run_maintenance TO {{cron_role}};
--! end
