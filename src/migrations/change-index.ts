import { type ClientBase, escapeIdentifier } from 'pg';
import { queryOne } from '../database/query-one.js';
import { shown } from '../errors/shown.js';
import { indexStatement } from './index-statement.js';

/**
 * Creates or drops an index outside of a transaction, from wherever an earlier attempt stopped. That leaves an index
 * that is invalid, or valid and not in the ledger yet; either is dropped first. Nothing waits behind it, so it may
 * wait for a lock as long as it has to.
 */
export async function changeIndex(
  client: ClientBase,
  sql: string,
  log: (message: string) => void,
): Promise<void> {
  const change = indexStatement(sql);
  if (change === undefined) throw new Error(`no statement about an index: ${sql}`);
  const name = `${escapeIdentifier(change.schema)}.${escapeIdentifier(change.index)}`;
  const found = await findIndex(client, change.schema, change.index);
  await client.query('SET lock_timeout = 0');
  try {
    if (change.action === 'create' && found !== undefined) {
      log(
        `The index ${shown(name)} is there already, ${found.valid ? 'valid, but not recorded' : 'left invalid by an attempt that failed'}; it is dropped and built again.`,
      );
      await client.query(`DROP INDEX CONCURRENTLY ${name}`);
    }
    if (change.action === 'create' || found !== undefined) await queryOne(client, sql);
  } finally {
    // The connection may be gone, and the first error matters more.
    await client.query('RESET lock_timeout').catch(() => {});
  }
}

async function findIndex(
  client: ClientBase,
  schema: string,
  index: string,
): Promise<{ readonly valid: boolean } | undefined> {
  const { rows } = await client.query<{ valid: boolean }>(
    `SELECT indisvalid AS valid
       FROM pg_catalog.pg_index JOIN pg_catalog.pg_class ON pg_class.oid = indexrelid
       JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = $1 AND relname = $2`,
    [schema, index],
  );
  return rows[0];
}
