import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cronName } from '../../src/deployment/own-names.js';
import { configureProcessor } from '../../src/operations/configure-processor.js';
import { plan } from '../../src/operations/plan.js';
import { readStatus } from '../../src/operations/status.js';
import { sync } from '../../src/operations/sync.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { setProcessor } from '../../src/processor/processor-config.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { type BackgroundWorkers, pgCronModes } from '../harness/prompt-jobs.js';
import { waitFor } from '../harness/wait-for.js';

// What holds no place in pg_cron while there is no work, and who gets how many while there is.

// A minute until dispatch looks and another one until a job starts, where pg_cron knows no seconds.
const CHANGE_MS = 200_000;
const TEST_MS = 2 * CHANGE_MS;

const quietly = { waitSeconds: 20, drainSeconds: 20, onWait: () => {}, log: () => {} };

const DEPLOYED = { enable: true, frequencySeconds: 1 };

async function startPgCron(workers: BackgroundWorkers, places: number): Promise<ThrowawayCluster> {
  const cluster = await startOwnCluster({
    settings: {
      'cron.use_background_workers': workers,
      'cron.max_running_jobs': String(places),
      max_worker_processes: '30',
    },
  });
  const admin = await adminClient('postgres', cluster);
  await admin.query('CREATE EXTENSION pg_cron');
  await admin.end();
  return cluster;
}

/** The sessions of pg_cron's jobs in the work database. */
async function sessions(admin: pg.Client, { database }: TestSite): Promise<string[]> {
  const { rows } = await admin.query(
    `SELECT query FROM pg_stat_activity
      WHERE datname = $1 AND application_name ~ '^pg_cron' ORDER BY query`,
    [database],
  );
  return rows.map(({ query }) => query);
}

async function schedules(admin: pg.Client, { cronRole }: TestSite): Promise<Map<string, string>> {
  const { rows } = await admin.query(
    'SELECT command, schedule FROM cron.job WHERE username = $1 ORDER BY jobname',
    [cronRole.name],
  );
  return new Map(rows.map(({ command, schedule }) => [roleOf(command), schedule]));
}

/** `1`, `2` … for a slot; else what is called. */
function roleOf(command: string): string {
  return /, (\d+)\)$/.exec(command)?.[1] ?? /\.(\w+)\(/.exec(command)?.[1] ?? command;
}

async function workingSlots(work: pg.Client): Promise<number> {
  const { rows } = await work.query(
    'SELECT count(*)::int AS runs FROM partitioncache.working_runs()',
  );
  return rows[0].runs;
}

function slowFragments(count: number, seconds: number) {
  return Array.from({ length: count }, (_, i) => ({
    hash: `slow ${i} of ${count}`,
    key: 'zipcode',
    datatype: 'integer',
    query: `SELECT ${i} FROM pg_sleep(${seconds})`,
  }));
}

async function failedRuns(admin: pg.Client): Promise<unknown[]> {
  const { rows } = await admin.query(
    "SELECT command, return_message FROM cron.job_run_details WHERE status = 'failed'",
  );
  return rows;
}

async function emptyQueue(app: pg.Client, settings: Settings): Promise<void> {
  await waitFor(
    'an empty queue',
    async () => {
      await app.query(`DELETE FROM ${tablesOf(settings).fragmentQueue}`);
      const { rows } = await app.query(
        `SELECT count(*)::int AS queued FROM ${tablesOf(settings).fragmentQueue}`,
      );
      return rows[0].queued;
    },
    { deadlineMs: 20_000, until: (queued) => queued === 0 },
  );
}

describe.each(pgCronModes)('jobs on demand, use_background_workers %s', (workers) => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let cronRole: pg.Client;
  let work: pg.Client;
  let app: pg.Client;
  let startsInBatches: boolean;

  beforeAll(async () => {
    const cluster = await startPgCron(workers, 20);
    site = await createSite({ cluster });
    settings = site.settings();
    await setUp(settings, { ...DEPLOYED, parallel: 3 });
    admin = await adminClient('postgres', cluster);
    cronRole = await connectAs(settings.cron);
    work = await connectAs({ ...settings.cron, database: site.database });
    app = await connectAs(settings.client);
    const { rows } = await admin.query(
      "SELECT extversion LIKE '1.4%' AS old FROM pg_extension WHERE extname = 'pg_cron'",
    );
    startsInBatches = workers === 'on' && rows[0].old;
  });
  afterAll(() => admin.end());

  const untilResting = () =>
    waitFor('a session of the first slot alone', () => sessions(admin, site), {
      deadlineMs: CHANGE_MS,
      until: (found) => found.length === 1 && roleOf(found[0] as string) === '1',
    });

  const hashOfDown = async () =>
    (await plan(settings, { direction: 'down', streams: ['work', 'cron'], extent: { all: true } }))
      .hash;

  async function nothingIsDrift() {
    const { drift, upToDate } = await readStatus(settings);
    expect({ drift, upToDate }).toEqual({ drift: [], upToDate: true });
    const { isPending } = await plan(settings, {
      direction: 'up',
      streams: ['work', 'cron'],
    });
    expect(isPending).toBe(false);
    expect((await sync(settings, quietly)).jobs).toEqual([]);
  }

  it(
    'rest while there is no work, beside the first slot, which is no drift',
    async (test) => {
      test.skip(startsInBatches);
      await untilResting();
      const found = await schedules(admin, site);
      expect([...found.keys()].sort()).toEqual(
        ['1', '2', '3', 'dispatch', 'prune_job_runs', 'run_maintenance'].sort(),
      );
      expect([found.get('2'), found.get('3')]).toEqual(Array(2).fill('0 0 30 2 *'));
      expect(found.get('run_maintenance')).toMatch(/^\d+ \* \* \* \*$/);
      await nothingIsDrift();
      // What was scheduled by hand is.
      await cronRole.query(
        `SELECT cron.schedule_in_database(jobname, '7 7 * * *', command, database) FROM cron.job
          WHERE command LIKE '%, 2)'`,
      );
      const { drift } = await readStatus(settings);
      expect(drift.map(({ problem }) => problem)).toEqual(['altered']);
      await sync(settings, quietly);
    },
    TEST_MS,
  );

  it(
    'come when there is work, and maintenance with them, and leave after it',
    async (test) => {
      test.skip(startsInBatches);
      await untilResting();
      const approved = await hashOfDown();
      await enqueue(app, settings, slowFragments(30, 5));
      await waitFor('three slots at work', () => workingSlots(work), {
        deadlineMs: CHANGE_MS,
        until: (slots) => slots === 3,
      });
      await waitFor('maintenance', () => sessions(admin, site), {
        deadlineMs: CHANGE_MS,
        until: (found) => found.some((query) => roleOf(query) === 'run_maintenance'),
      });
      await nothingIsDrift();
      expect(await hashOfDown()).toBe(approved);
      await emptyQueue(app, settings);
      await untilResting();
      expect(await failedRuns(admin)).toEqual([]);
    },
    2 * TEST_MS,
  );

  it(
    'never rest where pg_cron begins runs in batches',
    async (test) => {
      test.skip(!startsInBatches);
      await waitFor('every slot and maintenance due', () => schedules(admin, site), {
        deadlineMs: CHANGE_MS,
        until: (found) =>
          ['1', '2', '3', 'run_maintenance'].every((role) => found.get(role) === '* * * * *'),
      });
      await nothingIsDrift();
      await enqueue(app, settings, slowFragments(60, 5));
      await waitFor('three slots at work', () => workingSlots(work), {
        deadlineMs: CHANGE_MS,
        until: (slots) => slots === 3,
      });
      await emptyQueue(app, settings);
      expect(await failedRuns(admin)).toEqual([]);
    },
    2 * TEST_MS,
  );
});

describe('places that are short', () => {
  let sites: TestSite[];
  let admin: pg.Client;

  beforeAll(async () => {
    const cluster = await startPgCron('off', 6);
    sites = [await createSite({ cluster }), await createSite({ cluster })];
    admin = await adminClient('postgres', cluster);
    for (const site of sites) {
      await admin.query(`GRANT pg_read_all_settings TO ${site.cronRole.name}`);
      await setUp(site.settings(), { ...DEPLOYED, parallel: 5 });
    }
  });
  afterAll(() => admin.end());

  it(
    'are shared by those with work, and one stays with each other deployment',
    async () => {
      const [one, other] = await Promise.all(
        sites.map(async (site) => ({
          settings: site.settings(),
          app: await connectAs(site.settings().client),
          work: await connectAs({ ...site.settings().cron, database: site.database }),
        })),
      );
      if (one === undefined || other === undefined) throw new Error('there are two sites');
      const slots = () => Promise.all([workingSlots(one.work), workingSlots(other.work)]);

      await enqueue(one.app, one.settings, slowFragments(500, 2));
      // Six, less one that stays free, the other's first slot, and our own maintenance.
      await waitFor('three slots of the one at work', slots, {
        deadlineMs: CHANGE_MS,
        until: ([ofOne]) => ofOne === 3,
      });
      await enqueue(other.app, other.settings, slowFragments(500, 2));
      // Of five places two are for maintenance; the third slot is now of the one, now of the other.
      await waitFor('three slots of both at work', slots, {
        deadlineMs: CHANGE_MS,
        until: (each) => each.every((count) => count > 0) && each[0] + each[1] === 3,
      });
      await emptyQueue(one.app, one.settings);
      await waitFor('three slots of the other at work', slots, {
        deadlineMs: CHANGE_MS,
        until: ([, ofOther]) => ofOther === 3,
      });
      await emptyQueue(other.app, other.settings);
      expect(await failedRuns(admin)).toEqual([]);
    },
    3 * TEST_MS,
  );
});

describe('work at hand', () => {
  let site: TestSite;
  let cronRole: pg.Client;

  beforeAll(async () => {
    site = await createSite();
    await setUp(site.settings(), { enable: false });
    cronRole = await connectAs(site.settings().cron);
  });

  const atWork = async (): Promise<boolean[]> => {
    const { rows } = await cronRole.query(
      `SELECT is_own FROM ${cronName(site.settings(), 'at_work')}() WHERE database = $1`,
      [site.database],
    );
    return rows.map(({ is_own }) => is_own);
  };

  it('is that of one deployment, however many locks a session has', async () => {
    const app = await connectAs(site.settings().client);
    await app.query(
      `SELECT pg_advisory_lock_shared(hashtext('pcache-migrate at work'), number)
         FROM generate_series(1, 60) AS number`,
    );
    expect(await atWork()).toEqual([false]);
    await app.query(
      `SELECT pg_advisory_lock_shared(hashtext('pcache-migrate at work'),
                hashtext(encode(convert_to('partitioncache', 'UTF8'), 'hex')))`,
    );
    expect(await atWork()).toEqual([true]);
    await app.query('SELECT pg_advisory_unlock_all()');
    expect(await atWork()).toEqual([]);
  });

  it('is seen by a long transaction where somebody else has the lock to himself', async () => {
    const run = await connectAs({ ...site.settings().cron, database: site.database });
    await run.query('BEGIN');
    await run.query('SELECT');
    expect(await atWork()).toEqual([]);
    await waitFor('work at hand', atWork, {
      deadlineMs: 20_000,
      until: ([isOwn]) => isOwn === true,
    });
    await run.query('ROLLBACK');
    expect(await atWork()).toEqual([]);
  });
});

describe('maintenance', () => {
  it('does not rest where it could not come in time for the shortest timeout', async () => {
    const site = await createSite();
    const settings = site.settings();
    await setUp(settings, { enable: true, parallel: 2, timeoutSeconds: 119 });
    const cronRole = await connectAs(settings.cron);
    const onDemand = async () => {
      const { rows } = await cronRole.query(
        `SELECT on_demand.command
           FROM cron.job
          CROSS JOIN substring(command FROM 'dispatch[(](true|false)[)]') AS maintenance
          CROSS JOIN ${cronName(settings, 'jobs_on_demand')}(maintenance::boolean) AS on_demand
          WHERE cron.job.command LIKE '%.dispatch(%'
          ORDER BY helper`,
      );
      return rows.map(({ command }) => roleOf(command));
    };
    expect(await onDemand()).toEqual(['2']);
    await configureProcessor(settings, quietly, (work) =>
      setProcessor(work, settings, defaultJobName(settings), { timeoutSeconds: 120 }),
    );
    expect(await onDemand()).toEqual(['run_maintenance', '2']);
  });
});
