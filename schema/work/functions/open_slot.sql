CREATE FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_lock_key integer;
BEGIN
  -- Seen until the slot's own lock is (runs_1), and before it is asked whether processing is held:
  -- up and down, which change what is used below, hold first and then look.
  PERFORM pg_advisory_xact_lock_shared(
    (quote_ident('partitioncache') || '.hold')::regclass::oid::integer, 3);
  IF "partitioncache".is_held() THEN
    RETURN NULL;
  END IF;
  PERFORM "partitioncache".name_session();
  PERFORM "partitioncache".hold_own_tables('read', '"public"."partitioncache_queue_processor_config"');
  PERFORM FROM "public"."partitioncache_queue_processor_config" WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found',
            HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  -- Before anything is claimed: no fragment is to blame.
  PERFORM "partitioncache".require_fragment_role();
  INSERT INTO "partitioncache".slot (job_name, slot)
  VALUES (p_job_name, p_slot)
  ON CONFLICT (job_name, slot) DO NOTHING;
  SELECT lock_key INTO STRICT v_lock_key
  FROM "partitioncache".slot
  WHERE job_name = p_job_name AND slot = p_slot;
  IF NOT pg_try_advisory_lock(
    quote_ident('partitioncache')::regnamespace::oid::integer, v_lock_key)
  THEN
    RETURN NULL;
  END IF;
  PERFORM "partitioncache".release_dead_batches(v_lock_key);
  RETURN v_lock_key;
END
$$;

COMMENT ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) IS 'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it, or processing is held (is_held). Raises P0002 for an unknown processor, 28000 when fragments would run as another role than the deployment''s fragment role.';

REVOKE ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.open_slot(p_job_name text, p_slot integer) TO cron_role;
