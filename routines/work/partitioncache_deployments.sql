CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_deployments()
RETURNS TABLE (schema_name name, table_prefix text, cache_backend text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  v_schema name;
BEGIN
  FOR v_schema IN
    SELECT nspname
    FROM pg_class
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
    WHERE relname = 'service' AND relkind = 'v'
      -- Anybody can make a view of that name, which would run what he likes with our rights.
      AND pg_has_role(
        relowner,
        (SELECT proowner FROM pg_proc
         WHERE oid = to_regprocedure(
           quote_ident({{client_schema:literal}}) || '.partitioncache_deployments()')),
        'MEMBER')
      AND has_schema_privilege(pg_namespace.oid, 'USAGE')
      AND has_table_privilege(pg_class.oid, 'SELECT')
    ORDER BY nspname
  LOOP
    RETURN QUERY EXECUTE format(
      'SELECT $1, service.table_prefix, service.cache_backend '
      'FROM %I.service WHERE client_schema = $2',
      v_schema)
      USING v_schema, {{client_schema:literal}};
  END LOOP;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_deployments() IS
  'The deployments of pcache-migrate that serve this schema and that the current role may use, '
  'made by the owner of this function or a member of it.';
