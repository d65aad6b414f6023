{{include 0013_evaluate_fragment.up.sql}}
DROP FUNCTION {{schema}}.store_unusable(text, text);
DROP FUNCTION {{schema}}.widen_partition(text, integer);
{{include 0014_store_keys.up.sql}}
DROP FUNCTION {{schema}}.run_is_alive(integer, integer);
{{include 0015_settle_fragment.up.sql}}
DROP FUNCTION {{schema}}.is_cached(text, text);
{{include 0016_process_claim.up.sql}}
{{include 0017_run_processor.up.sql}}
{{include 0018_maintenance.up.sql}}
{{include 0023_monitoring.up.sql}}

-- From 0021, whose other functions were left alone.
CREATE FUNCTION {{schema}}.process_batch(p_job_name text, p_count integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer := {{schema}}.open_manual_slot(p_job_name);
  v_queue_id integer;
  v_outcome text;
  v_processed integer := 0;
BEGIN
  WHILE v_processed < p_count LOOP
    v_queue_id := {{schema}}.claim_next(v_lock_key);
    EXIT WHEN v_queue_id IS NULL;
    EXIT WHEN NOT {{schema}}.start_claim(v_queue_id, p_job_name, 0);
    v_outcome := {{schema}}.process_claim(v_queue_id, p_job_name, 'manual');
    WHILE {{schema}}.bits_to_widen(v_outcome) IS NOT NULL LOOP
      v_outcome := coalesce(
        {{schema}}.widen_for_claim(v_queue_id, {{schema}}.bits_to_widen(v_outcome), p_job_name, 'manual'),
        {{schema}}.process_claim(v_queue_id, p_job_name, 'manual'));
    END LOOP;
    EXIT WHEN {{schema}}.ends_run(v_outcome);
    v_processed := v_processed + 1;
  END LOOP;
  PERFORM {{schema}}.close_slot(v_lock_key);
  RETURN v_processed;
EXCEPTION
  WHEN OTHERS OR query_canceled OR assert_failure THEN
    -- The claims are rolled back, the session's lock is not: a pooled connection would keep the slot for ever.
    PERFORM {{schema}}.close_slot(v_lock_key);
    RAISE;
END
$$;
COMMENT ON FUNCTION {{schema}}.process_batch(text, integer) IS
  'Works on up to p_count queued fragments in the caller''s transaction, even if the processor is disabled. Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.process_batch(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.process_batch(text, integer) TO {{client_role}}, {{cron_role}};
