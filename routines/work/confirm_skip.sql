CREATE OR REPLACE FUNCTION {{schema}}.confirm_skip(
  p_result {{schema}}.item_result, p_held text[]
) RETURNS {{schema}}.item_result
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_result {{schema}}.item_result := p_result;
BEGIN
  -- From here on, a client that queues it is told that another session holds it. A client that
  -- queued it earlier may have evicted it first, and was told that it is queued.
  PERFORM FROM {{fragment_queue}} WHERE id = (p_result.item).queue_id FOR UPDATE SKIP LOCKED;
  IF NOT FOUND
    OR (p_result.item).partition_key <> ALL (p_held)
    OR NOT {{schema}}.is_cached((p_result.item).query_hash, (p_result.item).partition_key)
  THEN
    v_result.outcome := 'put_back';
  END IF;
  RETURN v_result;
END
$$;
COMMENT ON FUNCTION {{schema}}.confirm_skip IS
  'Returns a skipped result unchanged if its fragment is still cached, else as put_back, with no '
  'wait before the next claim. p_held: the partition keys whose cache the transaction holds. It '
  'must hold the queue for writing.';
REVOKE ALL ON FUNCTION {{schema}}.confirm_skip FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.confirm_skip TO {{cron_role}}, {{client_role}};
