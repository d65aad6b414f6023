import type { ClientBase } from 'pg';
import { isTrusted } from './trusted-owner.js';

/**
 * Why what is in the schema may be of others' making, so that to read one of these tables could run their code with
 * our rights; for people to read, empty where it is ours. `owner` is the role that deploys there, for whoever connects
 * as another. Asks the catalogue alone.
 */
export async function whoElseMadeIt(
  client: ClientBase,
  schema: string,
  tables: readonly string[],
  owner?: string,
): Promise<string[]> {
  return (await findings(client, schema, tables, owner)).map(({ reason }) => reason);
}

/** The statements that make it ours alone again, as far as there are some; for an administrator who knows that it is. */
export async function linesAgainstOthers(
  client: ClientBase,
  schema: string,
  tables: readonly string[],
  owner?: string,
): Promise<string[]> {
  return (await findings(client, schema, tables, owner)).flatMap(({ line }) => line ?? []);
}

interface Finding {
  readonly reason: string;
  readonly line: string | null;
}

async function findings(
  client: ClientBase,
  schema: string,
  tables: readonly string[],
  owner?: string,
): Promise<Finding[]> {
  const { rows } = await client.query<Finding>(
    `WITH own AS (
       SELECT c.* FROM pg_catalog.pg_class AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = ANY ($2)
     )
     SELECT pg_catalog.format('schema "%s" belongs to role "%s"', n.nspname,
                              pg_catalog.pg_get_userbyid(n.nspowner)) AS reason,
            pg_catalog.format('ALTER SCHEMA %I OWNER TO %I;', n.nspname, coalesce($3, current_user)) AS line
       FROM pg_catalog.pg_namespace AS n
      WHERE n.nspname = $1 AND NOT ${isTrusted('n.nspowner', '$3')}
     UNION ALL
     SELECT pg_catalog.format('table %s belongs to role "%s"', relname, pg_catalog.pg_get_userbyid(relowner)),
            pg_catalog.format('ALTER TABLE %I.%I OWNER TO %I;', $1, relname, coalesce($3, current_user))
       FROM own WHERE NOT ${isTrusted('relowner', '$3')}
     UNION ALL
     SELECT pg_catalog.format('%s is no plain table, or has child tables or row security', relname),
            CASE WHEN relrowsecurity THEN
              pg_catalog.format('ALTER TABLE %I.%I DISABLE ROW LEVEL SECURITY;', $1, relname)
            ELSE (SELECT pg_catalog.string_agg(pg_catalog.format('ALTER TABLE %s NO INHERIT %I.%I;',
                           inhrelid::pg_catalog.regclass, $1, relname), ' ')
                    FROM pg_catalog.pg_inherits WHERE inhparent = own.oid) END
       FROM own WHERE relkind <> 'r' OR relrowsecurity
         OR EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = own.oid)
     UNION ALL
     SELECT pg_catalog.format('column %s of table %s has a type that is not PostgreSQL''s own', a.attname, relname), NULL
       FROM own JOIN pg_catalog.pg_attribute AS a ON a.attrelid = own.oid AND a.attnum > 0 AND NOT a.attisdropped
       JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
       JOIN pg_catalog.pg_namespace AS typed ON typed.oid = t.typnamespace
      WHERE typed.nspname <> 'pg_catalog'`,
    [schema, tables, owner ?? null],
  );
  return rows;
}
