CREATE PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text DEFAULT NULL::text)
    LANGUAGE plpgsql
    AS $$
DECLARE
  v_lock_key integer;
  v_step "partitioncache".run_step;
  v_end "partitioncache".chunk_end;
BEGIN
  v_lock_key := "partitioncache".open_manual_slot(p_job_name);
  v_step := "partitioncache".claim_by_hand(p_job_name, v_lock_key);
  COMMIT;
  WHILE v_step.items IS NOT NULL LOOP
    v_end := "partitioncache".process_chunk(v_step.items, 1, v_step.context);
    COMMIT;
    EXIT WHEN v_end.narrow IS NULL;
    v_step.items := "partitioncache".widen_for(v_end.narrow, v_step.context);
    COMMIT;
  END LOOP;
  p_outcome := v_end.outcome;
  PERFORM "partitioncache".close_slot(v_lock_key);
END
$$;

COMMENT ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) IS 'Processes the next queued fragment by hand, even if the processor is disabled. p_outcome: how it ended; NULL when nothing is due. The caller''s statement_timeout applies to the fragment.';

REVOKE ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) FROM PUBLIC;
GRANT ALL ON PROCEDURE partitioncache.process_now(IN p_job_name text, INOUT p_outcome text) TO cron_role;
