import { randomInt } from 'node:crypto';
import { connectAs } from './deployment.js';
import type { ManualSite } from './manual-site.js';
import { waitFor } from './wait-for.js';

/** A fragment waits here until the test lets it through, so it is as slow as the test needs. */
export interface Gate {
  /** A fragment that waits here, and then returns 7. */
  readonly query: string;
  /** The same wait as an expression of type void, for queries of another shape. */
  readonly wait: string;
  /** Waits until this many sessions wait here; returns their pids. */
  waitForVisitors(count?: number): Promise<number[]>;
  open(): Promise<void>;
}

export async function closeGate({ settings, work }: ManualSite): Promise<Gate> {
  const key = randomInt(1, 2 ** 31 - 1);
  const keeper = await connectAs(settings.work);
  await keeper.query('SELECT pg_advisory_lock($1)', [key]);
  // Held until the end of the transaction, so that the fragment needs no privilege to release it.
  const wait = `pg_advisory_xact_lock_shared(${key})`;
  return {
    query: `SELECT 7 FROM ${wait}`,
    wait,
    waitForVisitors: (count = 1) =>
      waitFor(
        `${count} sessions at the gate`,
        async () => {
          const { rows } = await work.query(
            `SELECT pid FROM pg_locks
              WHERE locktype = 'advisory' AND NOT granted AND classid = 0 AND objid = $1::bigint::oid ORDER BY pid`,
            [key],
          );
          return rows.map(({ pid }) => pid);
        },
        { deadlineMs: 20_000, until: (pids) => pids.length === count },
      ),
    open: async () => {
      await keeper.query('SELECT pg_advisory_unlock_all()');
    },
  };
}
