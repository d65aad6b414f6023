import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { createAlternative, fillAlternative, runAlternative } from '../alternative.js';
import { bareTable, createBareTables, fillBareFragments, runBareLoop } from '../bare-loop.js';
import type { Bench } from '../bench.js';
import { pollUntil } from '../poll.js';
import { assertOutcomes, assertSameSets, isEmpty, reset } from '../processor.js';
import { createSampleTable, enqueue, sampleFragments } from '../sample-data.js';
import { awaitFirstRuns, runHistoryRows, walBytes } from '../scheduled.js';
import type { Site } from '../site.js';
import { number, type Spread, shown, spreadOf } from '../stats.js';

const fragments = sampleFragments(10_000);
const rounds = 3;
const oneItemPerTick = 5;
const secondsOfAlternative = 20;
const alternativeJobs = [1, 2, 3, 4, 5].map((slot) => `bench_alternative_${slot}`);
// It sorts the whole queue for each item.
const itemsForWalOfAlternative = 300;

interface Round {
  readonly firstSeconds: number;
  readonly allSeconds: number;
  readonly walPerItem: number;
  readonly runs: number;
}

export const cron: Bench = {
  name: 'cron',
  async run(context) {
    const site = await context.site({ name: 'cron', scheduled: true });
    await createSampleTable(site);
    const client = await site.connectAs('client');
    const watcher = await site.connectAs('admin');
    const pgCron = await site.connectAs('pg_cron');
    context.say('  waiting for the first runs');
    await awaitFirstRuns(pgCron, site);

    const all: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      context.say(`  round ${round + 1}`);
      all.push(await drainByJobs(site, { client, watcher, pgCron }));
    }
    await site.admin.query(`UPDATE ${site.tables.config} SET enabled = false`);
    const bareWal = await measureBareWal(site);
    const alternativeWal = await measureAlternativeWal(site);
    const alternativeRate = context.pgCronTakesSeconds
      ? number(await measureAlternativeRate(site, pgCron))
      : `not possible: this pg_cron has no schedule in seconds; measured on 1.6: ${oneItemPerTick}`;

    const rate = spread(all, ({ allSeconds }) => fragments.length / allSeconds);
    const over = (by: number) =>
      spread(all, ({ allSeconds }) => fragments.length / allSeconds / by);
    const wal = spread(all, ({ walPerItem }) => walPerItem);
    return [
      {
        title: `${number(fragments.length)} sample fragments through pg_cron's jobs, default settings (5 slots, every second)`,
        headings: ['', 'ours', 'alternative: one item per tick', 'goal'],
        rows: [
          ['items/s, from enqueued to the last one cached', shown(rate), alternativeRate, ''],
          [
            `× the ${oneItemPerTick} items/s of one item per tick`,
            shown(over(oneItemPerTick)),
            '1',
            '≥ 200',
          ],
          [
            'seconds to the first one cached',
            shown(spread(all, ({ firstSeconds }) => firstSeconds)),
            '',
            '≤ 2 (pg_cron ≥ 1.5)',
          ],
          [
            'rows in cron.job_run_details that began meanwhile',
            shown(spread(all, ({ runs }) => runs)),
            `${number(fragments.length)} (one an item)`,
            '',
          ],
          [
            `WAL bytes an item (bare loop: ${number(bareWal)})`,
            shown(wal),
            number(alternativeWal),
            '',
          ],
        ],
      },
    ];
  },
};

interface Sessions {
  readonly client: Client;
  readonly watcher: Client;
  readonly pgCron: Client;
}

async function drainByJobs(site: Site, { client, watcher, pgCron }: Sessions): Promise<Round> {
  await reset(site);
  await enqueue(client, site, fragments);
  const start = performance.now();
  const wal = await walBytes(watcher);
  const runs = await runHistoryRows(pgCron, site);
  const sinceStart = () => (performance.now() - start) / 1000;
  await pollUntil('the first item is cached', () => hasRow(watcher, site.tables.queries), {
    everyMs: 5,
    deadlineMs: 120_000,
  });
  const firstSeconds = sinceStart();
  await pollUntil('all items are cached', isEmpty(watcher, site), {
    everyMs: 20,
    deadlineMs: 180_000,
  });
  const allSeconds = sinceStart();
  const walPerItem = ((await walBytes(watcher)) - wal) / fragments.length;
  const runsStarted = (await runHistoryRows(pgCron, site)) - runs;
  await assertOutcomes(site, { success: fragments.length });
  return { firstSeconds, allSeconds, walPerItem, runs: runsStarted };
}

async function hasRow(watcher: Client, table: string): Promise<boolean> {
  return (await watcher.query(`SELECT FROM ${table} LIMIT 1`)).rowCount === 1;
}

async function measureBareWal(site: Site): Promise<number> {
  await createBareTables(site.admin, site);
  await fillBareFragments(site.admin, fragments);
  const before = await walBytes(site.admin);
  await runBareLoop(site.admin);
  const perItem = ((await walBytes(site.admin)) - before) / fragments.length;
  await assertSameSets(site.admin, site.tables.cache, bareTable);
  return perItem;
}

async function measureAlternativeWal(site: Site): Promise<number> {
  await createAlternative(site.admin);
  await fillAlternative(site.admin, fragments);
  const before = await walBytes(site.admin);
  await runAlternative(site.admin, itemsForWalOfAlternative);
  return ((await walBytes(site.admin)) - before) / itemsForWalOfAlternative;
}

async function measureAlternativeRate(site: Site, pgCron: Client): Promise<number> {
  await fillAlternative(site.admin, fragments);
  for (const job of alternativeJobs) {
    await pgCron.query(
      "SELECT cron.schedule_in_database($1, '1 second', 'SELECT alternative.process_one()', $2)",
      [job, site.settings.work.database],
    );
  }
  try {
    await pollUntil(
      'the alternative has started',
      () => hasRow(site.admin, 'alternative.queries'),
      {
        everyMs: 20,
        deadlineMs: 30_000,
      },
    );
    const done = async () =>
      (await site.admin.query('SELECT count(*)::integer AS count FROM alternative.queries')).rows[0]
        .count as number;
    const before = await done();
    const start = performance.now();
    await sleep(secondsOfAlternative * 1000);
    return ((await done()) - before) / ((performance.now() - start) / 1000);
  } finally {
    for (const job of alternativeJobs) await pgCron.query('SELECT cron.unschedule($1)', [job]);
  }
}

function spread(all: readonly Round[], of: (round: Round) => number): Spread {
  return spreadOf(all.map(of));
}
