CREATE PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_started timestamptz := pg_catalog.clock_timestamp();
  v_lock_key integer;
  v_step "partitioncache".run_step;
  v_next integer;
  v_end "partitioncache".chunk_end;
  v_widened "partitioncache".batch_item[];
BEGIN
  v_lock_key := "partitioncache".open_slot(p_job_name, p_slot);
  COMMIT;
  IF v_lock_key IS NULL THEN
    RETURN;
  END IF;
  LOOP
    v_step := "partitioncache".next_step(p_job_name, p_slot, v_lock_key, v_started, v_step);
    COMMIT;
    EXIT WHEN v_step.finished;
    IF v_step.items IS NULL THEN
      PERFORM pg_catalog.pg_sleep(v_step.wait_seconds);
      COMMIT;
      CONTINUE;
    END IF;
    v_next := 1;
    WHILE v_next IS NOT NULL LOOP
      v_end := "partitioncache".process_chunk(v_step.items, v_next, v_step.context);
      COMMIT;
      v_next := v_end.next_item;
      IF v_end.narrow IS NOT NULL THEN
        -- In a transaction of its own: its lock must not be held while a fragment is evaluated.
        v_widened := "partitioncache".widen_for(v_end.narrow, v_step.context);
        COMMIT;
        IF v_widened IS NOT NULL THEN
          v_end := "partitioncache".process_chunk(v_widened, 1, v_step.context);
          COMMIT;
        END IF;
        IF "partitioncache".is_overdue(v_step.context) THEN
          v_next := NULL;
        END IF;
      END IF;
      EXIT WHEN v_end.ends_run;
    END LOOP;
    EXIT WHEN v_end.ends_run;
  END LOOP;
  PERFORM "partitioncache".close_slot(v_lock_key);
END
$$;

COMMENT ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) IS 'One run of a processor''s slot, as pg_cron starts it: drains the queue in batches for up to a minute, and stays for a while when it is empty (clocks). Ends at once while another run holds the slot, or when the processor is disabled.';

REVOKE ALL ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.run_processor(IN p_job_name text, IN p_slot integer) TO cron_role;
