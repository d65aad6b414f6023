import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { runHistoryRows } from '../scheduled.js';
import { serverCpuSeconds } from '../server-cpu.js';
import type { Fleet } from './deploy-fleet.js';

export interface AtRest {
  readonly seconds: number;
  /** Sessions of the jobs of all deployments, each second. */
  readonly sessions: readonly number[];
  /** Runs that have begun. */
  readonly runs: number;
  readonly cpuSeconds: number | undefined;
}

/** What a fleet that has nothing to do costs in this many seconds. */
export async function watchAtRest(
  cluster: ThrowawayCluster,
  observer: Client,
  { members }: Fleet,
  seconds: number,
): Promise<AtRest> {
  const [first] = members;
  if (first === undefined) throw new Error('there is no deployment to watch');
  const read = async () => ({
    at: performance.now(),
    cpuSeconds: await serverCpuSeconds(cluster, [observer]),
    runs: await runHistoryRows(observer, first.site),
  });
  const before = await read();
  const sessions: number[] = [];
  while (performance.now() < before.at + seconds * 1000) {
    sessions.push(await sessionsOf(observer, first.site.settings.cron.user));
    await sleep(1_000);
  }
  const after = await read();
  return {
    seconds: (after.at - before.at) / 1000,
    sessions,
    runs: after.runs - before.runs,
    cpuSeconds:
      after.cpuSeconds === undefined || before.cpuSeconds === undefined
        ? undefined
        : after.cpuSeconds - before.cpuSeconds,
  };
}

/** Nothing but jobs logs in as the cron role once everything is deployed. */
async function sessionsOf(observer: Client, cronRole: string): Promise<number> {
  const { rows } = await observer.query<{ count: number }>({
    name: 'sessions',
    text: 'SELECT count(*)::integer FROM pg_stat_activity WHERE usename = $1',
    values: [cronRole],
  });
  return rows[0]?.count ?? 0;
}
