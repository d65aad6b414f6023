CREATE OR REPLACE FUNCTION {{schema}}.terminate_deaf(
  p_job_name text, p_lock_key integer, p_batch_id bigint, p_queue_id integer, p_pid integer,
  p_started timestamptz
) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET lock_timeout = '500ms'
AS $$
BEGIN
  PERFORM {{schema}}.settle_terminated(
    p_job_name, p_lock_key, p_batch_id, p_queue_id, p_started, 'timeout',
    '57014: terminated, since it went on after it had been cancelled at its timeout');
  PERFORM pg_terminate_backend(p_pid);
EXCEPTION
  WHEN lock_not_available THEN
    -- A client holds the fragment's row at this moment. Maintenance looks again in a second.
    RETURN;
END
$$;
COMMENT ON FUNCTION {{schema}}.terminate_deaf IS
  'Ends the session of a run whose fragment cannot be cancelled, and settles the '
  'fragment as timed out. pg_cron starts the slot again.';
REVOKE ALL ON FUNCTION {{schema}}.terminate_deaf FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.terminate_deaf TO {{cron_role}};
