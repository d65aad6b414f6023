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
