import type { ClientBase } from 'pg';
import { type OwnTransaction, writtenBetween } from './list-objects.js';
import type { ObjectScope } from './scope.js';

/** The identities of what this transaction made or changed in the clients' schema, and of extensions. */
export async function rootsWritten(
  client: ClientBase,
  { clientSchema, cachePrefix, tables }: ObjectScope,
  { id, newest }: OwnTransaction,
): Promise<string[]> {
  if (clientSchema === undefined) return [];
  const written = writtenBetween('$4', '$5');
  const { rows } = await client.query<{ identity: string }>(
    `SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS identity
       FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = $1
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
        AND pg_catalog.pg_get_userbyid(c.relowner) = current_user
        AND (NOT pg_catalog.starts_with(c.relname, $2) OR c.relname = ANY ($3))
        AND ${written('c.xmin')} AND NOT ${isMember('pg_class', 'c.oid')}
     UNION ALL
     SELECT pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                              pg_catalog.oidvectortypes(p.proargtypes))
       FROM pg_catalog.pg_proc AS p
       JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname = $1
      WHERE pg_catalog.pg_get_userbyid(p.proowner) = current_user
        AND ${written('p.xmin')} AND NOT ${isMember('pg_proc', 'p.oid')}
     UNION ALL
     SELECT pg_catalog.format('%I.%I', n.nspname, t.typname)
       FROM pg_catalog.pg_type AS t
       JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace AND n.nspname = $1
      WHERE t.typtype IN ('e', 'd', 'r') AND pg_catalog.pg_get_userbyid(t.typowner) = current_user
        AND ${written('t.xmin')} AND NOT ${isMember('pg_type', 't.oid')}
     UNION ALL
     SELECT pg_catalog.quote_ident(e.extname) FROM pg_catalog.pg_extension AS e
      WHERE ${written('e.xmin')}`,
    [clientSchema, cachePrefix, tables, id, newest],
  );
  return rows.map(({ identity }) => identity);
}

function isMember(catalogue: string, oid: string): string {
  return `EXISTS (
    SELECT FROM pg_catalog.pg_depend AS d
     WHERE d.classid = 'pg_catalog.${catalogue}'::pg_catalog.regclass AND d.objid = ${oid}
       AND d.deptype = 'e')`;
}
