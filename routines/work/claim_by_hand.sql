CREATE OR REPLACE FUNCTION {{schema}}.claim_by_hand(
  p_job_name text, p_lock_key integer
) RETURNS {{schema}}.run_step
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_run {{schema}}.run_context;
  v_batch {{schema}}.batch;
  v_step {{schema}}.run_step;
BEGIN
  PERFORM {{schema}}.hold_own_tables(
    'read', {{processor_config:literal}}, {{fragment_queue:literal}}, {{queries:literal}},
    {{partition_metadata:literal}});
  PERFORM {{schema}}.hold_own_tables('look', {{processor_log:literal}}, {{active_jobs:literal}});
  v_run := {{schema}}.manual_context(p_job_name);
  -- As in next_step, a claim must be known after a crash.
  PERFORM set_config('synchronous_commit', 'local', true);
  v_batch := {{schema}}.claim_suspect(p_lock_key);
  IF v_batch.batch_id IS NULL THEN
    v_batch := {{schema}}.claim_batch(p_lock_key, 1, NULL, NULL);
  END IF;
  v_step.items := {{schema}}.items_of(v_batch.queue_ids);
  v_run.lock_key := p_lock_key;
  v_run.own_session := true;
  v_run.batch_id := v_batch.batch_id;
  v_step.context := v_run;
  RETURN v_step;
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_by_hand IS
  'Claims one fragment for a run by hand in a session of its own, even if the processor is '
  'disabled. Returns a step without items when there is none.';
REVOKE ALL ON FUNCTION {{schema}}.claim_by_hand FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.claim_by_hand TO {{cron_role}};
