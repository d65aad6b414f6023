import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { asAdministrator } from '../../src/settings/settings.js';
import { environmentFor, settingsFrom } from '../../tools/quickstart/environment.js';
import type { Bench, BenchContext } from '../bench.js';
import { connect } from '../connect.js';
import { awaitFirstRuns, walBytes } from '../scheduled.js';
import { serverCpuSeconds } from '../server-cpu.js';
import { number } from '../stats.js';

const sampleSeconds = 60;
const secondsOfBareServer = 20;
const looksASecond = 10;

interface Idle {
  readonly seconds: number;
  readonly cpuSeconds: number | undefined;
  readonly walBytes: number;
  readonly runs: number;
  readonly connections: number | undefined;
  readonly longestTransaction: number;
}

export const idle: Bench = {
  name: 'idle',
  async run(context) {
    const settings = settingsFrom(environmentFor(context.cluster), import.meta.dirname);
    const observer = await connect(asAdministrator(settings.cron, settings.admin));
    try {
      context.say('  the server alone');
      // Writes out what has happened before.
      await observer.query('CHECKPOINT');
      const alone = await observe(context, observer, 'nobody', secondsOfBareServer);
      const site = await context.site({ name: 'idle', scheduled: true });
      context.say('  waiting for the first runs');
      await awaitFirstRuns(observer, site);
      await observer.query('CHECKPOINT');
      context.say('  the idle processor');
      const role = site.settings.cron.user;
      return [resultTable(alone, await observe(context, observer, role, sampleSeconds))];
    } finally {
      await observer.end();
    }
  },
};

/** What happens on the server in this many seconds; runs and transactions are those of `role`. */
async function observe(
  context: BenchContext,
  observer: Client,
  role: string,
  seconds: number,
): Promise<Idle> {
  const read = async () => ({
    at: performance.now(),
    cpuSeconds: await serverCpuSeconds(context.cluster, [observer]),
    walBytes: await walBytes(observer),
    runs: await runHistoryRowsOf(observer, role),
    connections: await connectionsSoFar(observer),
  });
  const before = await read();
  const longestTransaction = await longestTransactionWithin(observer, role, seconds);
  const after = await read();
  return {
    seconds: (after.at - before.at) / 1000,
    cpuSeconds: difference(after.cpuSeconds, before.cpuSeconds),
    walBytes: after.walBytes - before.walBytes,
    runs: after.runs - before.runs,
    connections: difference(after.connections, before.connections),
    longestTransaction,
  };
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}

async function runHistoryRowsOf(observer: Client, role: string): Promise<number> {
  const { rows } = await observer.query<{ count: number }>(
    'SELECT count(*)::integer FROM cron.job_run_details WHERE username = $1',
    [role],
  );
  return rows[0]?.count ?? 0;
}

/** Counted by PostgreSQL from 14 on, when a session ends or reports its statistics. */
async function connectionsSoFar(observer: Client): Promise<number | undefined> {
  const { rows } = await observer
    .query<{ sessions: number }>('SELECT sum(sessions)::float8 AS sessions FROM pg_stat_database')
    .catch(() => ({ rows: [] }));
  return rows[0]?.sessions;
}

async function longestTransactionWithin(
  observer: Client,
  role: string,
  seconds: number,
): Promise<number> {
  let longest = 0;
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const { rows } = await observer.query<{ longest: number | null }>({
      name: 'longest',
      text: `SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float8 AS longest
               FROM pg_stat_activity WHERE usename = $1`,
      values: [role],
    });
    longest = Math.max(longest, rows[0]?.longest ?? 0);
    await sleep(1000 / looksASecond);
  }
  return longest;
}

function resultTable(alone: Idle, processor: Idle) {
  const hourly = (of: (sample: Idle) => number | undefined) =>
    [alone, processor].map((sample) => {
      const value = of(sample);
      return value === undefined ? 'not to be seen' : number((value / sample.seconds) * 3600);
    });
  return {
    title: `An hour of an idle processor with default settings, from a sample of ${sampleSeconds} s, beside the server alone (${secondsOfBareServer} s)`,
    headings: ['in an hour', 'server alone', 'with the processor'],
    rows: [
      ['CPU seconds of all processes of the server', ...hourly(({ cpuSeconds }) => cpuSeconds)],
      ['WAL bytes', ...hourly((sample) => sample.walBytes)],
      ['rows in cron.job_run_details', ...hourly(({ runs }) => runs)],
      ['connections started', ...hourly(({ connections }) => connections)],
      [
        'longest transaction of a job, in seconds (not scaled)',
        '',
        number(processor.longestTransaction),
      ],
    ],
  };
}
