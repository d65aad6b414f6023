CREATE PROCEDURE partitioncache.run_maintenance()
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_needed timestamptz;
  v_after_id integer := 0;
  v_goes_on boolean := "partitioncache".open_maintenance();
  v_look double precision := pg_catalog.date_part('epoch', ("partitioncache".clocks()).look);
BEGIN
  COMMIT;
  WHILE v_goes_on LOOP
    FOR v_step IN 1 .. 8 LOOP
      BEGIN
        v_after_id := "partitioncache".maintenance_step(v_step, v_after_id);
      EXCEPTION
        WHEN out_of_memory THEN
          -- If this run ended here no other could follow it: nobody can connect.
          IF NOT "partitioncache".end_hoarder() THEN
            RAISE;
          END IF;
      END;
      COMMIT;
    END LOOP;
    BEGIN
      IF "partitioncache".maintenance_is_needed(v_after_id) THEN
        v_needed := pg_catalog.clock_timestamp();
      END IF;
      v_goes_on := "partitioncache".maintenance_goes_on(v_started, v_needed);
    EXCEPTION
      WHEN out_of_memory THEN
        v_goes_on := true; -- to the watchdog's next look, which deals with it
    END;
    COMMIT;
    EXIT WHEN NOT v_goes_on;
    PERFORM pg_catalog.pg_sleep(v_look);
    COMMIT;
  END LOOP;
  PERFORM "partitioncache".close_maintenance();
END
$$;

COMMENT ON PROCEDURE partitioncache.run_maintenance() IS 'One run of the maintenance job, which lasts a minute, longer while a fragment is at work, and ends sooner when it is not needed. Enforces timeouts, takes care of batches whose run died or is held up, shows what is running, deletes old log rows, and removes cached duplicates from the queue. While processing is held it only watches what is still at work. Raises 53200 when the server has no lock left and no fragment is to blame.';

REVOKE ALL ON PROCEDURE partitioncache.run_maintenance() FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.run_maintenance() TO cron_role;
