CREATE OR REPLACE FUNCTION {{schema}}.open_slot(p_job_name text, p_slot integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer;
BEGIN
  -- Seen until the slot's own lock is (runs_1), and before it is asked whether processing is held:
  -- up and down, which change what is used below, hold first and then look.
  PERFORM pg_advisory_xact_lock_shared(
    (quote_ident({{schema:literal}}) || '.hold')::regclass::oid::integer, 3);
  IF {{schema}}.is_held() THEN
    RETURN NULL;
  END IF;
  PERFORM {{schema}}.name_session();
  PERFORM {{schema}}.hold_own_tables('read', {{processor_config:literal}});
  PERFORM FROM {{processor_config}} WHERE job_name = p_job_name;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no processor "%"', p_job_name
      USING ERRCODE = 'no_data_found',
            HINT = 'pcache-migrate processor status lists the processors.';
  END IF;
  -- Before anything is claimed: no fragment is to blame.
  PERFORM {{schema}}.require_fragment_role();
  INSERT INTO {{schema}}.slot (job_name, slot)
  VALUES (p_job_name, p_slot)
  ON CONFLICT (job_name, slot) DO NOTHING;
  SELECT lock_key INTO STRICT v_lock_key
  FROM {{schema}}.slot
  WHERE job_name = p_job_name AND slot = p_slot;
  IF NOT pg_try_advisory_lock(
    quote_ident({{schema:literal}})::regnamespace::oid::integer, v_lock_key)
  THEN
    RETURN NULL;
  END IF;
  PERFORM {{schema}}.release_dead_batches(v_lock_key);
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_slot IS
  'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it, '
  'or processing is held (is_held). Raises P0002 for an unknown processor, 28000 when fragments '
  'would run as another role than the deployment''s fragment role.';
REVOKE ALL ON FUNCTION {{schema}}.open_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_slot TO {{cron_role}};
