import type { ClientBase } from 'pg';
import type { Settings } from '../settings/settings.js';
import { hasRoutine } from './catalogue.js';
import { clientName, ownName } from './own-names.js';

/**
 * One transaction in which these tables of the clients' schema stay as we made them. Raises PostgreSQL's
 * error 42809 when there is something foreign about one, which would run with this connection's rights.
 */
export async function withOwnTables<T>(
  work: ClientBase,
  settings: Settings,
  to: 'read' | 'write',
  tables: readonly string[],
  use: () => Promise<T>,
): Promise<T> {
  await work.query('BEGIN');
  try {
    // Missing where the migrations are rolled back already.
    if (await hasRoutine(work, settings.schema, 'hold_own_tables')) {
      await work.query(`SELECT ${ownName(settings, 'hold_own_tables')}($1, VARIADIC $2::text[])`, [
        to,
        tables.map((table) => clientName(settings, table)),
      ]);
    }
    const result = await use();
    await work.query('COMMIT');
    return result;
  } catch (error) {
    // A connection that is lost has rolled back by itself.
    await work.query('ROLLBACK').catch(() => {});
    throw error;
  }
}
