CREATE OR REPLACE PROCEDURE {{schema}}.process_now(
  p_job_name text, INOUT p_outcome text DEFAULT NULL
)
LANGUAGE plpgsql
AS $$
DECLARE
  v_lock_key integer;
  v_step {{schema}}.run_step;
  v_end {{schema}}.chunk_end;
BEGIN
  v_lock_key := {{schema}}.open_manual_slot(p_job_name);
  v_step := {{schema}}.claim_by_hand(p_job_name, v_lock_key);
  COMMIT;
  WHILE v_step.items IS NOT NULL LOOP
    v_end := {{schema}}.process_chunk(v_step.items, 1, v_step.context);
    COMMIT;
    EXIT WHEN v_end.narrow IS NULL;
    v_step.items := {{schema}}.widen_for(v_end.narrow, v_step.context);
    COMMIT;
  END LOOP;
  p_outcome := v_end.outcome;
  PERFORM {{schema}}.close_slot(v_lock_key);
END
$$;
COMMENT ON PROCEDURE {{schema}}.process_now IS
  'Processes the next queued fragment by hand, even if the processor is disabled. p_outcome: how '
  'it ended; NULL when nothing is due. The caller''s statement_timeout applies to the fragment.';
REVOKE ALL ON PROCEDURE {{schema}}.process_now FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE {{schema}}.process_now TO {{cron_role}};
