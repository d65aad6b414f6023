import { type ClientBase, escapeIdentifier } from 'pg';
import { isDatabaseError } from '../database/database-error.js';

/** Within a transaction: drops the schema if it is ours and empty; returns whether it did. */
export async function dropOwnSchema(client: ClientBase, schema: string): Promise<boolean> {
  if (!(await ownsSchema(client, schema))) return false;
  await client.query('SAVEPOINT before_drop_schema');
  try {
    await client.query(`DROP SCHEMA ${escapeIdentifier(schema)} RESTRICT`);
    return true;
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== '2BP01') throw error;
    await client.query('ROLLBACK TO SAVEPOINT before_drop_schema');
    return false;
  }
}

// Ownership itself, not its use: a superuser could drop a schema that somebody else had made for us.
async function ownsSchema(client: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
     WHERE n.nspname = $1 AND n.nspname <> 'public' AND r.rolname = current_user`,
    [schema],
  );
  return rowCount === 1;
}
