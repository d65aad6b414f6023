CREATE OR REPLACE FUNCTION {{schema}}.open_manual_slot(p_job_name text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer;
BEGIN
  PERFORM {{schema}}.require_no_hold();
  v_lock_key := {{schema}}.open_slot(p_job_name, 0);
  IF v_lock_key IS NULL THEN
    RAISE EXCEPTION 'another run by hand of processor "%" is under way', p_job_name
      USING ERRCODE = 'lock_not_available', HINT = 'Wait until it has ended.';
  END IF;
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_manual_slot IS
  'Takes slot 0 of a processor for a run by hand. Raises 55P03 while another one is under way, '
  '55000 while processing is held.';
REVOKE ALL ON FUNCTION {{schema}}.open_manual_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_manual_slot TO {{cron_role}};
