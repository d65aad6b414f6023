import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';

export interface Waits {
  /** Sessions that waited for nothing, so were running or ready to run: the mean over the samples. */
  readonly runnable: number;
  /** Sessions that waited, by what they waited for: the means. */
  readonly events: Readonly<Record<string, number>>;
}

const everyMs = 20;

/** Samples what these sessions wait for, until it is stopped. */
export function sampleWaits(
  watcher: Client,
  sessions: readonly Client[],
): { stop: () => Promise<Waits> } {
  let running = true;
  const sampling = collect(watcher, sessions, () => running);
  return {
    stop: () => {
      running = false;
      return sampling;
    },
  };
}

async function collect(
  watcher: Client,
  sessions: readonly Client[],
  running: () => boolean,
): Promise<Waits> {
  const pids = await Promise.all(
    sessions.map(async (session) => (session as unknown as { processID: number }).processID),
  );
  const counts = new Map<string, number>();
  let samples = 0;
  while (running()) {
    const { rows } = await watcher.query<{ event: string | null; count: number }>(
      `SELECT wait_event_type || ':' || wait_event AS event, count(*)::integer
         FROM pg_stat_activity WHERE pid = ANY ($1) AND state = 'active' GROUP BY 1`,
      [pids],
    );
    samples += 1;
    for (const { event, count } of rows) {
      counts.set(event ?? '', (counts.get(event ?? '') ?? 0) + count);
    }
    await sleep(everyMs);
  }
  const means = Object.fromEntries([...counts].map(([event, count]) => [event, count / samples]));
  const { '': runnable = 0, ...events } = means;
  return { runnable, events };
}
