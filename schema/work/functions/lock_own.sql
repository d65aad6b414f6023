CREATE FUNCTION partitioncache.lock_own(p_to text, VARIADIC p_tables text[]) RETURNS oid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_table text;
  v_oid oid;
  v_locked oid[] := '{}';
BEGIN
  FOREACH v_table IN ARRAY p_tables LOOP
    -- Without these privileges, and on what is not a table, it cannot be locked; then there is
    -- something foreign about it, or the caller fails for want of the same privilege.
    IF p_to <> 'look' AND EXISTS (
      SELECT FROM pg_class
      WHERE oid = to_regclass(v_table) AND relkind = 'r'
        AND has_table_privilege(oid, CASE p_to WHEN 'read' THEN 'SELECT' ELSE 'UPDATE' END))
    THEN
      EXECUTE format(
        CASE p_to
          WHEN 'read' THEN 'LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE'
          -- Keeps new triggers away, too.
          WHEN 'write' THEN 'LOCK TABLE ONLY %I.%I IN ROW EXCLUSIVE MODE'
          WHEN 'alter' THEN 'LOCK TABLE ONLY %I.%I IN SHARE ROW EXCLUSIVE MODE'
          WHEN 'rewrite' THEN 'LOCK TABLE ONLY %I.%I IN ACCESS EXCLUSIVE MODE'
        END, VARIADIC parse_ident(v_table));
    END IF;
    -- Looked up again: from here on the name stays with this table.
    v_oid := to_regclass(v_table);
    IF v_oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class WHERE oid = v_oid) THEN
      -- A transaction that reads as of its beginning would use it without having looked at it.
      RAISE EXCEPTION 'table % was made after this transaction began', v_table
        USING ERRCODE = 'serialization_failure';
    END IF;
    v_locked := v_locked || v_oid;
  END LOOP;
  RETURN v_locked;
END
$$;

COMMENT ON FUNCTION partitioncache.lock_own(p_to text, VARIADIC p_tables text[]) IS 'Locks tables of the clients'' schema until the end of the transaction, as p_to needs it: read, write, alter (its triggers), rewrite; look takes no lock. Returns their oids, for require_own, before which nothing may touch them. Each is a quoted name with its schema; one that does not exist is left to the caller. Raises 40001 for a table that the transaction''s snapshot lacks.';

REVOKE ALL ON FUNCTION partitioncache.lock_own(p_to text, VARIADIC p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.lock_own(p_to text, VARIADIC p_tables text[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.lock_own(p_to text, VARIADIC p_tables text[]) TO client_role;
