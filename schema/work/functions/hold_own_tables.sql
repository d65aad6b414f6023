CREATE FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
  v_table text;
  v_oid oid;
  v_held oid[];
  v_foreign record;
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
    v_held := v_held || v_oid;
  END LOOP;
  FOR v_foreign IN
    SELECT relation, string_agg(part, ', ') AS parts
    FROM "partitioncache".foreign_parts(v_held)
    GROUP BY relation ORDER BY relation
  LOOP
    RAISE EXCEPTION 'table % is not used, because it is not as role % made it: %; drop %',
      v_foreign.relation,
      (SELECT relowner::regrole FROM pg_class
       WHERE relnamespace = quote_ident('partitioncache')::regnamespace
         AND relname = 'deployment'),
      v_foreign.parts,
      CASE
        WHEN starts_with(
          (SELECT relname FROM pg_class WHERE oid = v_foreign.relation),
          'my_cache' || '_cache_')
        THEN 'that, or the table; the processor makes its own'
        ELSE 'that, or the table and create it again as that role'
      END
      USING ERRCODE = 'wrong_object_type',
            HINT = 'It would run with the rights of whoever uses the table. '
                   'pcache-migrate doctor lists all such tables.';
  END LOOP;
END
$$;

COMMENT ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) IS 'Locks tables of the clients'' schema until the end of the transaction, as p_to needs it: read, write, alter (its triggers), rewrite; look takes no lock. So each stays as it is. Each is a quoted name with its schema; one that does not exist is left to the caller. Raises 42809 when foreign_parts finds something, 40001 for a table that the transaction''s snapshot lacks.';

REVOKE ALL ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) TO cron_role;
GRANT ALL ON FUNCTION partitioncache.hold_own_tables(p_to text, VARIADIC p_tables text[]) TO client_role;
