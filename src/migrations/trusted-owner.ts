/**
 * SQL: whether the role with this oid may own what we read and run in a schema of ours: the connected role, the role
 * named by the parameter, a superuser, or the owner of the database. Not whoever else's rights we have: a superuser has
 * everybody's.
 */
export function isTrusted(oid: string, named = 'NULL'): string {
  return `EXISTS (
    SELECT FROM pg_catalog.pg_roles AS trusted
     WHERE trusted.oid = ${oid}
       AND (trusted.rolname IN (current_user, ${named}) OR trusted.rolsuper
            OR trusted.rolname = 'pg_database_owner'
            OR trusted.oid = (SELECT datdba FROM pg_catalog.pg_database
                               WHERE datname = pg_catalog.current_database())))`;
}
