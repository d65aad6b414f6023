CREATE FUNCTION partitioncache.open_manual_slot(p_job_name text) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_key integer;
BEGIN
  PERFORM "partitioncache".require_no_hold();
  v_lock_key := "partitioncache".open_slot(p_job_name, 0);
  IF v_lock_key IS NULL THEN
    RAISE EXCEPTION 'another run by hand of processor "%" is under way', p_job_name
      USING ERRCODE = 'lock_not_available', HINT = 'Wait until it has ended.';
  END IF;
  RETURN v_lock_key;
END
$$;

COMMENT ON FUNCTION partitioncache.open_manual_slot(p_job_name text) IS 'Takes slot 0 of a processor for a run by hand. Raises 55P03 while another one is under way, 55000 while processing is held.';

REVOKE ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_manual_slot(p_job_name text) TO cron_role;
