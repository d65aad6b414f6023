CREATE OR REPLACE FUNCTION {{schema}}.skipped(
  p_item {{schema}}.batch_item
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result;
BEGIN
  v_result.item := p_item;
  v_result.outcome := 'skipped';
  v_result.started_at := clock_timestamp();
  v_result.ended_at := v_result.started_at;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.skipped IS 'The result of a fragment that is already cached.';
REVOKE ALL ON FUNCTION {{schema}}.skipped FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.skipped TO {{cron_role}}, {{client_role}};
