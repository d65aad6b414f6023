import type pg from 'pg';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { connectAs, tablesOf } from './deployment.js';
import type { ManualSite } from './manual-site.js';
import { waitFor } from './wait-for.js';

// Runs slots and the maintenance in the test's own sessions, as pg_cron's jobs would, but when the test says so.

export interface BackgroundRuns {
  /** The pids of the sessions, in the order of the slots. */
  readonly pids: readonly number[];
  /** Lets the runs end by themselves; if one of them ended with an error, throws it. */
  stop(): Promise<void>;
}

/** Runs these slots again and again until they are stopped. */
export async function startSlots(
  it_: ManualSite,
  slots: readonly number[],
): Promise<BackgroundRuns> {
  const { settings, site, work } = it_;
  const config = tablesOf(settings).processorConfig;
  await work.query(`UPDATE ${config} SET enabled = true, max_parallel_jobs = 8`);
  const sessions = await Promise.all(
    slots.map(async (slot) => ({
      slot,
      ...(await sessionOf({ ...settings.cron, database: site.database })),
    })),
  );
  let stopped = false;
  const runs = sessions.map(async ({ slot, client }) => {
    while (!stopped) {
      await client.query('CALL partitioncache.run_processor($1, $2)', [
        defaultJobName(settings),
        slot,
      ]);
    }
  });
  // stop() throws what they end with.
  for (const run of runs) run.catch(() => {});
  return {
    pids: sessions.map(({ pid }) => pid),
    stop: async () => {
      stopped = true;
      await work.query(`UPDATE ${config} SET enabled = false`);
      await Promise.all(runs);
    },
  };
}

/** Runs the maintenance again and again until it is stopped. */
export async function startMaintenance({
  settings,
  site,
  cronRole,
}: ManualSite): Promise<BackgroundRuns> {
  const { client, pid } = await sessionOf({ ...settings.cron, database: site.database });
  const forever = async () => {
    for (;;) await client.query('CALL partitioncache.run_maintenance()');
  };
  const end = forever().catch((error) => error);
  return {
    pids: [pid],
    stop: async () => {
      await cronRole.query('SELECT pg_terminate_backend($1)', [pid]);
      const error = await end;
      // Terminated, or so early that only the loss of the connection was noticed.
      if (error.code !== '57P01' && error.code !== undefined) throw error;
    },
  };
}

async function sessionOf(settings: Parameters<typeof connectAs>[0]) {
  const client = await connectAs(settings);
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
  return { client, pid: rows[0].pid as number };
}

/** Waits until nothing is queued. */
export async function waitUntilDrained(
  { work, settings }: ManualSite,
  deadlineMs = 60_000,
): Promise<void> {
  await waitFor('an empty queue', () => queueLength(work, settings), {
    deadlineMs,
    until: (length) => length === 0,
  });
}

async function queueLength(client: pg.Client, settings: ManualSite['settings']): Promise<number> {
  const { rows } = await client.query(
    `SELECT count(*)::int AS length FROM ${tablesOf(settings).fragmentQueue}`,
  );
  return rows[0].length;
}
