CREATE OR REPLACE FUNCTION {{schema}}.delete_idle_attempts() RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_deleted integer;
BEGIN
  PERFORM {{schema}}.hold_own_tables('read', {{fragment_queue:literal}});
  DELETE FROM {{schema}}.attempt
  WHERE NOT EXISTS (
    SELECT FROM {{fragment_queue}} AS queue
    WHERE queue.hash = attempt.query_hash AND queue.partition_key = attempt.partition_key);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
EXCEPTION
  WHEN wrong_object_type THEN
    -- The queue is not ours. Each run says so; timeouts must be enforced all the same.
    RETURN 0;
END
$$;
COMMENT ON FUNCTION {{schema}}.delete_idle_attempts IS
  'Deletes the attempts of fragments that a client has removed from the queue. Returns how many.';
REVOKE ALL ON FUNCTION {{schema}}.delete_idle_attempts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.delete_idle_attempts TO {{cron_role}};
