-- The functions that clients call live in the clients' schema, once for all deployments of the
-- database.
CREATE OR REPLACE FUNCTION {{schema}}.deployment_schemas() RETURNS SETOF name
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT nspname
  FROM pg_class
  JOIN pg_namespace ON pg_namespace.oid = relnamespace
  JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'queue_prefix'
  WHERE relname = 'deployment' AND relkind = 'r'
$$;
COMMENT ON FUNCTION {{schema}}.deployment_schemas IS
  'The schemas of all deployments in this database.';
REVOKE ALL ON FUNCTION {{schema}}.deployment_schemas FROM PUBLIC;
