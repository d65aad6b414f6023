/**
 * SQL: whether the owner of the schema in the row `n` of pg_namespace may own what we deploy in it: the connected
 * role or one whose rights it has, a superuser, or the owner of the database.
 */
export const TRUSTED_OWNER = `(
  pg_catalog.pg_has_role(n.nspowner, 'USAGE')
  OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE oid = n.nspowner)
  OR n.nspowner = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'pg_database_owner')
  OR n.nspowner = (
    SELECT datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))`;
