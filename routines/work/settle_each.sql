CREATE OR REPLACE FUNCTION {{schema}}.settle_each(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_timeout text := '500ms';
  v_result {{schema}}.item_result;
  v_settled {{schema}}.item_result;
  v_results {{schema}}.item_result[] := '{}';
BEGIN
  FOREACH v_result IN ARRAY p_results LOOP
    v_settled := {{schema}}.settle_one(v_result, p_run, v_lock_timeout);
    v_results := v_results || v_settled;
    -- Settled fragments stay locked until all are settled, so a session that blocks us
    -- may be waiting for one of them. We have waited for it once. Waiting for it again
    -- at each fragment would be its deadlock.
    IF v_settled.outcome = 'put_back' AND v_result.outcome <> 'put_back' THEN
      v_lock_timeout := '1ms';
    END IF;
  END LOOP;
  RETURN v_results;
END
$$;
COMMENT ON FUNCTION {{schema}}.settle_each IS
  'Like store_and_settle, but settles each fragment by itself, so that none is lost because of '
  'another. Waits for other sessions for half a second in all.';
REVOKE ALL ON FUNCTION {{schema}}.settle_each FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.settle_each TO {{cron_role}}, {{client_role}};
