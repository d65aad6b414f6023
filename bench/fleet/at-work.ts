import type { Client } from 'pg';
import type { Member } from './deploy-fleet.js';
import { atWorkLock } from './fragments.js';

/** How many slow fragments are at work in each of these deployments now. */
export async function fragmentsAtWork(
  observer: Client,
  members: readonly Member[],
): Promise<number[]> {
  const { rows } = await observer.query<{ database: string; count: number }>({
    name: 'at work',
    text: `SELECT datname AS database, count(*)::integer
             FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
            WHERE locktype = 'advisory' AND granted AND (classid, objid, objsubid) = (0, $1, 1)
            GROUP BY datname`,
    values: [atWorkLock],
  });
  const counts = new Map(rows.map(({ database, count }) => [database, count]));
  return members.map(({ site }) => counts.get(site.settings.work.database) ?? 0);
}
