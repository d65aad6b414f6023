import type { ClientBase } from 'pg';
import { whoElseMadeIt } from './who-else-made-it.js';

/**
 * Why somebody else may have written what is in these tables of the schema, for people to read; empty if nobody can
 * have. What is in them is about to run with our rights, or to be believed. `owner` as for whoElseMadeIt.
 */
export async function whoElseMayWrite(
  client: ClientBase,
  schema: string,
  tables: readonly string[],
  owner?: string,
): Promise<string[]> {
  const made = await whoElseMadeIt(client, schema, tables, owner);
  const { rows } = await client.query<{ reason: string }>(
    `WITH own AS (
       SELECT c.* FROM pg_catalog.pg_class AS c
         JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = ANY ($2)
     )
     SELECT pg_catalog.format('%s may change table %s',
              CASE x.grantee WHEN 0 THEN 'every role'
                ELSE pg_catalog.format('role "%s"', pg_catalog.pg_get_userbyid(x.grantee)) END,
              relname) AS reason
       FROM own JOIN pg_catalog.pg_attribute AS a ON a.attrelid = own.oid
       CROSS JOIN LATERAL pg_catalog.aclexplode(relacl || a.attacl) AS x
      WHERE x.grantee <> relowner
        AND x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
      GROUP BY x.grantee, relname
     UNION ALL
     SELECT pg_catalog.format('table %s has a trigger or rule', relname)
       FROM own
      WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = own.oid)
         OR EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = own.oid)`,
    [schema, tables],
  );
  return [...made, ...rows.map(({ reason }) => reason)];
}
