CREATE OR REPLACE FUNCTION {{schema}}.finish(
  p_results {{schema}}.item_result[], p_run {{schema}}.run_context
) RETURNS {{schema}}.item_result[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_results {{schema}}.item_result[];
  v_skipped text[] := ARRAY(
    SELECT DISTINCT (result.item).partition_key
    FROM unnest(p_results) AS result WHERE result.outcome = 'skipped'
    ORDER BY 1);
  v_held text[];
BEGIN
  IF v_skipped <> '{}' THEN
    PERFORM {{schema}}.hold_own_tables('write', {{fragment_queue:literal}});
    -- A cancel has undone what was held when they were skipped.
    v_held := {{schema}}.hold_caches(v_skipped);
  END IF;
  v_results := ARRAY(
    SELECT CASE result.outcome
             -- While processing is held, whoever holds it cancels: the fragment is not at fault.
             WHEN 'put_back' THEN {{schema}}.put_back(
               result, '1 s', CASE WHEN {{schema}}.is_held() THEN 0 ELSE 1 END, p_run)
             WHEN 'skipped' THEN {{schema}}.confirm_skip(result, v_held)
             ELSE result
           END
    FROM unnest(p_results) AS result);
  BEGIN
    RETURN {{schema}}.store_and_settle(v_results, p_run);
  EXCEPTION
    WHEN OTHERS THEN
      -- One of them cannot be stored. Settle each by itself, so that the others are not lost with
      -- it and its error is found again.
      RETURN {{schema}}.settle_each(v_results, p_run);
  END;
END
$$;
COMMENT ON FUNCTION {{schema}}.finish IS
  'Stores and settles the results of evaluated fragments, whatever error the cache raises for one '
  'of them. Returns the results as they are afterwards.';
REVOKE ALL ON FUNCTION {{schema}}.finish FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.finish TO {{cron_role}}, {{client_role}};
