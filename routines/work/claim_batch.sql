CREATE OR REPLACE FUNCTION {{schema}}.claim_batch(
  p_lock_key integer, p_limit integer, p_after_priority integer, p_after_id integer
) RETURNS {{schema}}.batch
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_queue_ids integer[] :=
    {{schema}}.lock_unclaimed(p_after_priority, p_after_id, p_limit, '{}');
BEGIN
  IF v_queue_ids IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN {{schema}}.insert_batch(p_lock_key, v_queue_ids, false);
END
$$;
COMMENT ON FUNCTION {{schema}}.claim_batch IS
  'Claims up to p_limit fragments for the run that holds p_lock_key: those due next after '
  '(p_after_priority, p_after_id), or from the head of the queue when there are none. Returns NULL '
  'when there are none at all.';
REVOKE ALL ON FUNCTION {{schema}}.claim_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.claim_batch TO {{cron_role}};
