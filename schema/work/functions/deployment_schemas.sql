CREATE FUNCTION partitioncache.deployment_schemas() RETURNS SETOF name
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
  SELECT nspname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
  WHERE relname = 'deployment' AND relkind = 'r'
$$;

COMMENT ON FUNCTION partitioncache.deployment_schemas() IS 'The schemas of all deployments in this database.';

REVOKE ALL ON FUNCTION partitioncache.deployment_schemas() FROM PUBLIC;
