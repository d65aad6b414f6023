CREATE FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
  PERFORM "partitioncache".require_own("partitioncache".lock_own(p_to, VARIADIC p_tables));
END
$$;

COMMENT ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) IS 'Locks tables of the clients'' schema until the end of the transaction, as p_to needs it: read, write, alter (its triggers), rewrite; look takes no lock. So each stays as it is. Each is a quoted name with its schema; one that does not exist is left to the caller. Raises 42809 when foreign_parts finds something, 40001 for a table that the transaction''s snapshot lacks.';

REVOKE ALL ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) TO client_role;
