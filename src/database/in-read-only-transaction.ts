import type { ClientBase } from 'pg';
import { isDatabaseError } from './database-error.js';
import { LockedTablesError } from './locked-tables-error.js';

/** Reading waits only for who locks a table against everybody, which an application does for a moment, if at all. */
const LOCK_TIMEOUT_SECONDS = 10;

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * One snapshot for all of it, and nothing is written, not even by a function that is called; works on a standby.
 * Raises LockedTablesError when a lock is not to be had in time.
 */
export async function inReadOnlyTransaction<T>(
  client: ClientBase,
  use: () => Promise<T>,
): Promise<T> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT_SECONDS}s'`);
    return await use();
  } catch (error) {
    if (!isDatabaseError(error) || error.code !== LOCK_NOT_AVAILABLE) throw error;
    await client.query('ROLLBACK');
    throw new LockedTablesError(LOCK_TIMEOUT_SECONDS, await exclusiveLocks(client), error);
  } finally {
    // There is nothing to keep, and the first error matters.
    await client.query('ROLLBACK').catch(() => {});
  }
}

async function exclusiveLocks(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ lock: string }>(
    `SELECT pg_catalog.format('table %I.%I is locked by process %s of role "%s"', n.nspname, c.relname,
                              l.pid, coalesce(a.usename, '?')) AS lock
       FROM pg_catalog.pg_locks AS l
       JOIN pg_catalog.pg_class AS c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
      WHERE l.locktype = 'relation' AND l.granted AND l.mode = 'AccessExclusiveLock'
        AND l.database = (
          SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      ORDER BY n.nspname, c.relname, l.pid`,
  );
  return rows.map(({ lock }) => lock);
}
