-- A slot is where a run happens. Its session lock keeps out a second run of the same slot.

--! routine open_slot
CREATE OR REPLACE FUNCTION {{schema}}.open_slot(p_job_name text, p_slot integer) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer;
BEGIN
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
  'Takes the session lock of a slot and returns its lock_key, or NULL while another run holds it. '
  'Raises P0002 for an unknown processor, 28000 when fragments would '
  'run as another role than the deployment''s fragment role.';
REVOKE ALL ON FUNCTION {{schema}}.open_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_slot TO {{cron_role}};
--! end

--! routine open_manual_slot
CREATE OR REPLACE FUNCTION {{schema}}.open_manual_slot(p_job_name text) RETURNS integer
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_lock_key integer := {{schema}}.open_slot(p_job_name, 0);
BEGIN
  IF v_lock_key IS NULL THEN
    RAISE EXCEPTION 'another run by hand of processor "%" is under way', p_job_name
      USING ERRCODE = 'lock_not_available', HINT = 'Wait until it has ended.';
  END IF;
  RETURN v_lock_key;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_manual_slot IS
  'Takes slot 0 of a processor for a run by hand. Raises 55P03 while another one is under way.';
REVOKE ALL ON FUNCTION {{schema}}.open_manual_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.open_manual_slot TO {{cron_role}};
--! end

--! routine close_slot
CREATE OR REPLACE FUNCTION {{schema}}.close_slot(p_lock_key integer) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  c_schema CONSTANT integer := quote_ident({{schema:literal}})::regnamespace::oid::integer;
BEGIN
  DELETE FROM {{schema}}.batch WHERE lock_key = p_lock_key;
  -- Unlock repeatedly, in case a fragment has taken the lock as well; but not until unlocking
  -- fails, since PostgreSQL logs that as a warning.
  WHILE EXISTS (
    SELECT FROM pg_locks
    WHERE pid = pg_backend_pid()
      AND locktype = 'advisory' AND objsubid = 2 AND mode = 'ExclusiveLock'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = c_schema::oid AND objid = p_lock_key::oid)
  LOOP
    EXIT WHEN NOT pg_advisory_unlock(c_schema, p_lock_key);
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.close_slot IS
  'Releases what the run has claimed but not settled, and unlocks its slot.';
REVOKE ALL ON FUNCTION {{schema}}.close_slot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.close_slot TO {{cron_role}};
--! end
