CREATE OR REPLACE FUNCTION {{schema}}.hold_own_tables(p_to text, VARIADIC p_tables text[])
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM {{schema}}.require_own({{schema}}.lock_own(p_to, VARIADIC p_tables));
END
$$;
COMMENT ON FUNCTION {{schema}}.hold_own_tables IS
  'Locks tables of the clients'' schema until the end of the transaction, as p_to needs it: read, '
  'write, alter (its triggers), rewrite; look takes no lock. So each stays as it is. Each is a '
  'quoted name with its schema; one that does not exist is left to the caller. Raises 42809 when '
  'foreign_parts finds something, 40001 for a table that the transaction''s snapshot lacks.';
REVOKE ALL ON FUNCTION {{schema}}.hold_own_tables FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.hold_own_tables TO {{cron_role}}, {{client_role}};
