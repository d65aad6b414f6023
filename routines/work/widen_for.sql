CREATE OR REPLACE FUNCTION {{schema}}.widen_for(
  p_narrow {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS {{schema}}.batch_item[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
-- Clients' reads queue up behind an ALTER TABLE that waits, so give up soon and try again later.
SET lock_timeout = '2s'
AS $$
DECLARE
  v_narrow {{schema}}.item_result;
  v_state text;
  v_message text;
  v_widened {{schema}}.batch_item[];
BEGIN
  -- The widest comes first, so that each table is rewritten only once.
  FOR v_narrow IN
    SELECT * FROM unnest(p_narrow) AS narrow ORDER BY {{schema}}.bits_needed(narrow) DESC
  LOOP
    BEGIN
      PERFORM {{schema}}.widen_partition(
        (v_narrow.item).partition_key, {{schema}}.bits_needed(v_narrow)::integer);
      v_widened := v_widened || v_narrow.item;
    EXCEPTION
      WHEN lock_not_available OR deadlock_detected THEN
        v_narrow.error := 'the bit cache is in use and could not be widened';
        PERFORM {{schema}}.put_back(v_narrow, '5 s', 0, p_run);
      WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS v_state = RETURNED_SQLSTATE, v_message = MESSAGE_TEXT;
        v_narrow.outcome := 'failed';
        v_narrow.error := format('%s: the bit cache could not be widened to %s bits: %s',
          v_state, {{schema}}.bits_needed(v_narrow), v_message);
        PERFORM {{schema}}.settle_results(ARRAY[v_narrow], p_run);
    END;
  END LOOP;
  RETURN v_widened;
END
$$;
COMMENT ON FUNCTION {{schema}}.widen_for IS
  'Widens the bit caches that are too narrow for these results, and returns '
  'the fragments to be processed again; NULL for none. Fragments whose cache '
  'is in use stay queued, for at least five seconds.';
REVOKE ALL ON FUNCTION {{schema}}.widen_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.widen_for TO {{cron_role}}, {{client_role}};
