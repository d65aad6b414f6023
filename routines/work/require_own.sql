-- Whoever may CREATE in the clients' schema can give something the name of one of our tables, at
-- any time at which there is none. Code that hangs on it would run as whoever comes by.
CREATE OR REPLACE FUNCTION {{schema}}.require_own(p_tables oid[]) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_foreign record;
BEGIN
  FOR v_foreign IN
    SELECT relation, string_agg(part, ', ') AS parts
    FROM {{schema}}.foreign_parts(p_tables)
    GROUP BY relation ORDER BY relation
  LOOP
    RAISE EXCEPTION 'table % is not used, because it is not as role % made it: %; drop %',
      v_foreign.relation,
      (SELECT relowner::regrole FROM pg_class
       WHERE relnamespace = quote_ident({{schema:literal}})::regnamespace
         AND relname = 'deployment'),
      v_foreign.parts,
      CASE
        WHEN starts_with(
          (SELECT relname FROM pg_class WHERE oid = v_foreign.relation),
          {{table_prefix:literal}} || '_cache_')
        THEN 'that, or the table; the processor makes its own'
        ELSE 'that, or the table and create it again as that role'
      END
      USING ERRCODE = 'wrong_object_type',
            HINT = 'It would run with the rights of whoever uses the table. '
                   'pcache-migrate doctor lists all such tables.';
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{schema}}.require_own IS
  'Raises 42809 when foreign_parts finds something about these tables. lock_own keeps it so.';
REVOKE ALL ON FUNCTION {{schema}}.require_own FROM PUBLIC;
GRANT EXECUTE ON FUNCTION {{schema}}.require_own TO {{cron_role}}, {{client_role}};
