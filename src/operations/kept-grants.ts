import { type ClientBase, escapeIdentifier } from 'pg';

/** What somebody else than its owner may do with a table. */
export interface TableGrant {
  /** Null: everybody. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly isGrantable: boolean;
  /** Null: all columns. */
  readonly column: string | null;
}

/** Returns what was taken away. `table` is quoted. A view of another's could read and write through such grants. */
export async function takeGrantsAway(work: ClientBase, table: string): Promise<TableGrant[]> {
  const { rows } = await work.query<TableGrant>(
    `SELECT r.rolname::text AS grantee, x.privilege_type AS privilege, x.is_grantable AS "isGrantable",
            acls.column
       FROM pg_catalog.pg_class AS c
      CROSS JOIN LATERAL (
        SELECT c.relacl AS acl, NULL::text AS column
        UNION ALL
        SELECT attacl, attname::text FROM pg_catalog.pg_attribute
         WHERE attrelid = c.oid AND NOT attisdropped) AS acls
      CROSS JOIN LATERAL pg_catalog.aclexplode(acls.acl) AS x
       LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = x.grantee
      WHERE c.oid = $1::pg_catalog.regclass AND x.grantee <> c.relowner`,
    [table],
  );
  for (const role of new Set(rows.map(({ grantee }) => grantee))) {
    await work.query(`REVOKE ALL ON ${table} FROM ${inSql(role)} CASCADE`);
  }
  return rows;
}

/** A role that is gone gets nothing. */
export async function giveGrantsBack(
  work: ClientBase,
  table: string,
  grants: readonly TableGrant[],
): Promise<void> {
  const { rows } = await work.query<{ name: string }>(
    'SELECT rolname::text AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)',
    [grants.map(({ grantee }) => grantee)],
  );
  const there = new Set<string | null>([null, ...rows.map(({ name }) => name)]);
  for (const grant of grants.filter(({ grantee }) => there.has(grantee))) {
    const columns = grant.column === null ? '' : ` (${escapeIdentifier(grant.column)})`;
    await work.query(
      `GRANT ${privilegeOf(grant)}${columns} ON ${table} TO ${inSql(grant.grantee)}${grant.isGrantable ? ' WITH GRANT OPTION' : ''}`,
    );
  }
}

function inSql(role: string | null): string {
  return role === null ? 'PUBLIC' : escapeIdentifier(role);
}

/** A word, whatever stands in the record. */
function privilegeOf({ privilege }: TableGrant): string {
  if (!/^[A-Z]+$/.test(privilege)) throw new Error(`no privilege: ${privilege}`);
  return privilege;
}
