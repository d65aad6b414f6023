CREATE OR REPLACE FUNCTION {{schema}}.insert_batch(
  p_lock_key integer, p_queue_ids integer[], p_alone boolean
) RETURNS {{schema}}.batch
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO {{schema}}.batch (lock_key, pid, queue_ids, alone, partition_key)
  SELECT p_lock_key, pg_backend_pid(), p_queue_ids, p_alone, {{schema}}.key_of_all(p_queue_ids)
  ON CONFLICT (alone) WHERE alone DO NOTHING
  RETURNING *
$$;
COMMENT ON FUNCTION {{schema}}.insert_batch IS
  'Claims these fragments for the run in that slot. Returns NULL when the fragment is to be tried '
  'alone and another run is already trying one.';
REVOKE ALL ON FUNCTION {{schema}}.insert_batch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.insert_batch TO {{cron_role}};
