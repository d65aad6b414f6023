CREATE FUNCTION partitioncache.manual_context(p_job_name text) RETURNS partitioncache.run_context
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_run "partitioncache".run_context;
BEGIN
  -- Without claimed_at, no other slot is given what a run by hand has claimed.
  SELECT job_name, NULL, 'manual', false, NULL, NULL, result_limit, default_bitsize INTO v_run
  FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found',
            HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  RETURN v_run;
END
$$;

COMMENT ON FUNCTION partitioncache.manual_context(p_job_name text) IS 'The context of a run by hand within the caller''s transaction, which claims nothing. Raises P0002 for an unknown processor.';

REVOKE ALL ON FUNCTION partitioncache.manual_context(p_job_name text) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.manual_context(p_job_name text) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.manual_context(p_job_name text) TO client_role;
