import type { ClientBase } from 'pg';
import type { ListedObject } from './listed-object.js';
import { listingSql } from './listing/listing-sql.js';
import type { WrittenHere } from './listing/parts.js';
import { printingAlike } from './printing.js';
import type { ObjectScope } from './scope.js';

/** The transaction that asks: its number, and the number of the newest of its subtransactions. */
export interface OwnTransaction {
  readonly id: string;
  readonly newest: string;
}

/** Within a transaction: everything in our schema, and what is ours by its identity in the clients'. */
export async function listObjects(
  client: ClientBase,
  scope: ObjectScope,
  identities: readonly string[],
): Promise<ListedObject[]> {
  return list(client, listingSql(NOBODY), parameters(scope, identities));
}

/** The same, with what this transaction wrote of it. */
export async function listWrittenObjects(
  client: ClientBase,
  scope: ObjectScope,
  identities: readonly string[],
  { id, newest }: OwnTransaction,
): Promise<ListedObject[]> {
  const values = parameters(scope, identities);
  return list(client, listingSql(writtenBetween('$6', '$7')), [...values, id, newest]);
}

export function parameters(scope: ObjectScope, identities: readonly string[]): unknown[] {
  return [scope.schema, scope.clientSchema ?? null, identities, scope.cachePrefix, scope.tables];
}

export const NOBODY: WrittenHere = () => 'false';

/**
 * A row that we see while the transaction that wrote it is in progress is of our own transaction. Those of its numbers
 * are from its first to its newest subtransaction's; only there is a number looked up, since a row may be so old that
 * its number will be given again.
 */
export function writtenBetween(first: string, newest: string): WrittenHere {
  return (xmin) =>
    `CASE WHEN age(${xmin}) BETWEEN age(${newest}::xid) AND 0
          THEN txid_status(${first}::bigint - age(${xmin})) = 'in progress' ELSE false END`;
}

async function list(
  client: ClientBase,
  sql: string,
  values: readonly unknown[],
): Promise<ListedObject[]> {
  return printingAlike(client, async () => {
    const { rows } = await client.query<Omit<ListedObject, 'position'> & { position: string }>(
      sql,
      [...values],
    );
    return rows.map((row) => ({ ...row, position: Number(row.position) }));
  });
}
