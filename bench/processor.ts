import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { pollUntil } from './poll.js';
import type { Site } from './site.js';

// A slot that found the queue empty looks again after frequency_seconds, which is 1.
const dueAfterMs = 1_300;

/** Runs slots of a site's processor in sessions of ours, as pg_cron's jobs do in theirs. */
export interface SlotRunner {
  /** The sessions, one per slot. */
  readonly sessions: readonly Client[];
  /** Runs all slots until `drained` says so; returns the milliseconds until then. */
  drain(drained: () => Promise<boolean>, options?: DrainOptions): Promise<number>;
}

export interface DrainOptions {
  readonly deadlineMs?: number;
  readonly pollMs?: number;
}

/** Slots 1 to `slots`, as the cron role. */
export async function createSlotRunner(site: Site, slots: number): Promise<SlotRunner> {
  const sessions = await Promise.all(Array.from({ length: slots }, () => site.connectAs('cron')));
  const control = await site.connectAs('migrator');
  await control.query(`UPDATE ${site.tables.config} SET max_parallel_jobs = $1`, [slots]);
  const enable = (enabled: boolean) =>
    control.query(`UPDATE ${site.tables.config} SET enabled = $1`, [enabled]);
  let due = 0;
  return {
    sessions,
    async drain(drained, { deadlineMs = 180_000, pollMs = 2 } = {}) {
      await sleep(Math.max(0, due - performance.now()));
      await enable(true);
      const start = performance.now();
      let running = true;
      const runs = sessions.map(async (session, index) => {
        // A run ends after its time slice; pg_cron would start the next one.
        while (running)
          await session.query(`CALL ${site.runProcessor}($1, $2)`, [site.jobName, index + 1]);
      });
      try {
        await Promise.race([
          pollUntil('the slots have drained the queue', drained, { everyMs: pollMs, deadlineMs }),
          // If a run fails, there is no need to wait until the deadline.
          Promise.all(runs),
        ]);
        return performance.now() - start;
      } finally {
        running = false;
        await enable(false);
        await Promise.all(runs);
        due = performance.now() + dueAfterMs;
      }
    },
  };
}

/** Whether the item with this queue id has left the queue; looks at one row, whatever the queue's length. */
export function hasLeft(watcher: Client, site: Site, queueId: number): () => Promise<boolean> {
  return async () => {
    const { rowCount } = await watcher.query({
      name: 'has left',
      text: `SELECT FROM ${site.tables.queue} WHERE id = $1`,
      values: [queueId],
    });
    return rowCount === 0;
  };
}

/** Whether the queue is empty. */
export function isEmpty(watcher: Client, site: Site): () => Promise<boolean> {
  return async () => {
    const { rowCount } = await watcher.query(`SELECT FROM ${site.tables.queue} LIMIT 1`);
    return rowCount === 0;
  };
}

/** The queue id of the last item in the order of work. */
export async function lastQueueId(site: Site): Promise<number> {
  const { rows } = await site.admin.query(`SELECT max(id) AS id FROM ${site.tables.queue}`);
  return rows[0].id;
}

/** Empties queue, log and cache, so that the next round finds what the first one found. */
export async function reset(site: Site): Promise<void> {
  const { queue, log, queries, cache } = site.tables;
  const { rows } = await site.admin.query('SELECT to_regclass($1) IS NOT NULL AS present', [cache]);
  await site.admin.query(
    `TRUNCATE ${queue}, ${log}, ${queries}${rows[0].present ? `, ${cache}` : ''} RESTART IDENTITY`,
  );
}

/** Throws unless the log has exactly these outcomes and the cache as many sets as succeeded. */
export async function assertOutcomes(
  site: Site,
  wanted: Readonly<Record<string, number>>,
): Promise<void> {
  const { log, queue, cache } = site.tables;
  const { rows } = await site.admin.query<{ status: string; count: number; error: string | null }>(
    `SELECT status, count(*)::integer, max(error_message) AS error FROM ${log}
      WHERE status <> 'started' GROUP BY status ORDER BY status`,
  );
  const found = Object.fromEntries(rows.map(({ status, count }) => [status, count]));
  const left = await site.admin.query(`SELECT count(*)::integer AS count FROM ${queue}`);
  const cached = await site.admin.query(
    `SELECT count(*)::integer AS count FROM ${cache} WHERE partition_keys IS NOT NULL`,
  );
  const right =
    Object.entries({ ...found, ...wanted }).every(([status]) => found[status] === wanted[status]) &&
    left.rows[0].count === 0 &&
    cached.rows[0].count === wanted.success;
  if (right) return;
  throw new Error(
    `what was timed did not come out right: wanted ${JSON.stringify(wanted)}, the log says ${JSON.stringify(rows)}, ` +
      `${cached.rows[0].count} sets are cached, ${left.rows[0].count} items still queued`,
  );
}

/** Throws unless both tables hold the same sets. */
export async function assertSameSets(client: Client, one: string, other: string): Promise<void> {
  const { rows } = await client.query(
    `SELECT (SELECT count(*) FROM ${one})::integer AS one, (SELECT count(*) FROM ${other})::integer AS other,
            (SELECT count(*) FROM ${one} JOIN ${other} USING (query_hash, partition_keys))::integer AS same`,
  );
  const { one: left, other: right, same } = rows[0];
  if (left === right && same === left) return;
  throw new Error(`${one} has ${left} sets, ${other} has ${right}, ${same} of them are the same`);
}
