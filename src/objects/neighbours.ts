import { type ClientBase, escapeIdentifier } from 'pg';
import { isDatabaseError } from '../database/database-error.js';
import { whoElseMayWrite } from '../migrations/who-else-may-write.js';
import { keyParts, qualifiedName } from './identity.js';
import { keyOf } from './listed-object.js';
import {
  FORMAT,
  RECORD_TABLES,
  type RecordedObject,
  readRecordedObjects,
  readRecordHead,
} from './record.js';
import type { ObjectScope } from './scope.js';

const TABLES: readonly string[] = [...RECORD_TABLES, 'deployment'];

/**
 * What other deployments recorded of the clients' schema that they share with ours, and whose owner is ours too: the
 * functions there belong to all of them. Only plain tables are read, since of any other its owner's code could run,
 * and only where nobody else may have written them.
 */
export async function recordsOfNeighbours(
  client: ClientBase,
  scope: ObjectScope,
): Promise<RecordedObject[]> {
  const { clientSchema } = scope;
  if (clientSchema === undefined) return [];
  const objects: RecordedObject[] = [];
  for (const schema of await neighbours(client, scope)) {
    objects.push(
      ...(await ifReadable(client, () => read(client, schema, scope.owner, clientSchema))),
    );
  }
  return objects.filter((object) => schemaOf(object) === clientSchema);
}

/** Of what the object is part of, if it is part of something. */
function schemaOf(object: RecordedObject): string | undefined {
  return qualifiedName(keyParts(object.parents[0] ?? keyOf(object)).identity)?.schema;
}

async function neighbours(client: ClientBase, { schema }: ObjectScope): Promise<string[]> {
  const { rows } = await client.query<{ schema: string }>(
    `SELECT n.nspname AS schema
       FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname <> $1
      WHERE c.relname = ANY ($2)
        AND c.relowner = (
          SELECT own.relowner FROM pg_catalog.pg_class AS own
            JOIN pg_catalog.pg_namespace AS ours ON ours.oid = own.relnamespace
           WHERE ours.nspname = $1 AND own.relname = 'recorded_object')
        AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
      GROUP BY n.nspname HAVING pg_catalog.count(*) = $3`,
    [schema, TABLES, TABLES.length],
  );
  return rows.map((row) => row.schema);
}

async function read(
  client: ClientBase,
  schema: string,
  owner: string,
  clientSchema: string,
): Promise<RecordedObject[]> {
  if ((await whoElseMayWrite(client, schema, TABLES, owner)).length > 0) return [];
  const { rowCount } = await client.query(
    `SELECT FROM ${escapeIdentifier(schema)}.deployment WHERE client_schema = $1`,
    [clientSchema],
  );
  const head = await readRecordHead(client, schema);
  return rowCount === 1 && head?.format === FORMAT ? readRecordedObjects(client, schema) : [];
}

/** PostgreSQL's class of errors in names and privileges: of another version, whose tables have other columns. */
const NAMES_AND_PRIVILEGES = /^42/;

async function ifReadable(
  client: ClientBase,
  use: () => Promise<RecordedObject[]>,
): Promise<RecordedObject[]> {
  await client.query('SAVEPOINT neighbour');
  try {
    const objects = await use();
    await client.query('RELEASE SAVEPOINT neighbour');
    return objects;
  } catch (error) {
    if (!isDatabaseError(error) || !NAMES_AND_PRIVILEGES.test(error.code ?? '')) throw error;
    await client.query('ROLLBACK TO SAVEPOINT neighbour');
    return [];
  }
}
