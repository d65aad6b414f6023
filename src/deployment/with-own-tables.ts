import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import { inTransaction } from '../database/in-transaction.js';
import type { Settings } from '../settings/settings.js';
import { clientName, ownName } from './own-names.js';

/**
 * One transaction in which these tables of the clients' schema stay as we made them. Raises PostgreSQL's
 * error 42809 when there is something foreign about one, which would run with this connection's rights.
 */
export function withOwnTables<T>(
  work: ClientBase,
  settings: Settings,
  to: 'read' | 'write',
  tables: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  return inTransaction(work, async () => {
    await holdOwnTables(work, settings, to, tables);
    return use();
  });
}

/** Likewise, in the transaction that is open. */
export async function holdOwnTables(
  work: ClientBase,
  settings: Settings,
  to: 'read' | 'write' | 'rewrite',
  tables: readonly string[],
): Promise<void> {
  // Missing where the migrations are rolled back already.
  if (!(await hasRoutine(work, settings.schema, 'hold_own_tables'))) return;
  await work.query(`SELECT ${ownName(settings, 'hold_own_tables')}($1, VARIADIC $2::text[])`, [
    to,
    tables.map((table) => clientName(settings, table)),
  ]);
}
