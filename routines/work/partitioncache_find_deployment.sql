CREATE OR REPLACE FUNCTION {{client_schema}}.partitioncache_find_deployment(
  p_table_prefix text, OUT schema_name name, OUT cache_backend text
)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT deployment.schema_name, deployment.cache_backend INTO schema_name, cache_backend
  FROM {{client_schema}}.partitioncache_deployments() AS deployment
  WHERE deployment.table_prefix = p_table_prefix;
  IF NOT FOUND THEN
    RAISE EXCEPTION
      'no deployment of pcache-migrate in database % has table_prefix "%" (or % may not use it)',
      current_database(), p_table_prefix, current_user
      USING ERRCODE = 'undefined_object',
            HINT = 'Deploy it with pcache-migrate setup, and name this role in PG_QUEUE_USER.';
  END IF;
END
$$;
COMMENT ON FUNCTION {{client_schema}}.partitioncache_find_deployment(text) IS
  'The schema and backend of the deployment whose cache tables have '
  'this prefix. Raises 42704 when there is none.';
