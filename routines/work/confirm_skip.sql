CREATE OR REPLACE FUNCTION {{schema}}.confirm_skip(p_result {{schema}}.item_result)
RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
BEGIN
  PERFORM {{schema}}.hold_own_tables('write', {{fragment_queue:literal}});
  -- From here on, a client that queues it is told that another session holds it. A client that
  -- queued it earlier may have evicted it first, and was told that it is queued.
  PERFORM FROM {{fragment_queue}} WHERE id = (p_result.item).queue_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND
     OR NOT {{schema}}.is_cached((p_result.item).query_hash, (p_result.item).partition_key) THEN
    v_result.outcome := 'put_back';
  END IF;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.confirm_skip IS
  'Returns a skipped result unchanged if its fragment is still cached, else as put_back, with no '
  'wait before the next claim.';
REVOKE ALL ON FUNCTION {{schema}}.confirm_skip FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.confirm_skip TO {{cron_role}}, {{client_role}};
