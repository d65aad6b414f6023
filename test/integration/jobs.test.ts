import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { configureProcessor } from '../../src/operations/configure-processor.js';
import { down } from '../../src/operations/down.js';
import { readStatus } from '../../src/operations/status.js';
import { sync } from '../../src/operations/sync.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { setProcessor } from '../../src/processor/processor-config.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { sharedCluster, startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';

// pg_cron 1.4 starts jobs only at the full minute.
const NEXT_START_MS = 75_000;
const TEST_MS = 150_000;

const wait = { waitSeconds: 20, onWait: () => {} };

async function jobsOf(admin: pg.Client, site: TestSite) {
  const { rows } = await admin.query(
    'SELECT jobid, jobname, schedule, command, database, username, active FROM cron.job WHERE username = $1 ORDER BY jobname',
    [site.cronRole.name],
  );
  return rows;
}

async function processorJobs(admin: pg.Client, site: TestSite) {
  return (await jobsOf(admin, site)).filter(({ command }) => command.includes('run_processor'));
}

async function succeededRuns(admin: pg.Client, site: TestSite): Promise<number> {
  const { rows } = await admin.query(
    `SELECT count(DISTINCT jobid)::int AS jobs FROM cron.job_run_details
      WHERE username = $1 AND command LIKE '%run_processor%' AND status = 'succeeded'`,
    [site.cronRole.name],
  );
  return rows[0].jobs;
}

async function cachedFragments(app: pg.Client, settings: Settings): Promise<number> {
  const { rows } = await app.query(
    `SELECT count(*)::int AS count FROM ${tablesOf(settings).queries} WHERE status = 'ok'`,
  );
  return rows[0].count;
}

function fragments(count: number) {
  return Array.from({ length: count }, (_, i) => ({
    hash: `fragment ${i}`,
    key: 'zipcode',
    datatype: 'integer',
    query: `SELECT zipcode FROM pois WHERE id % 10 = ${i % 10}`,
  }));
}

describe.each([
  ['off', 'deploy'],
  ['on', 'link'],
])('pg_cron with use_background_workers %s and transport %s', (workers, transport) => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let app: pg.Client;

  beforeAll(async () => {
    const cluster: ClusterAddress =
      workers === 'off'
        ? sharedCluster()
        : await startOwnCluster({
            settings: { 'cron.use_background_workers': 'on', max_worker_processes: '20' },
          });
    if (workers === 'on') {
      const creator = await adminClient('postgres', cluster);
      await creator.query('CREATE EXTENSION pg_cron');
      await creator.end();
    }
    site = await createSite({ cluster, link: transport === 'link' });
    settings = site.settings();
    admin = await adminClient('postgres', cluster);
    await setUp(settings, { parallel: 3, frequencySeconds: 1 });
    app = await connectAs(settings.client);
    return () => admin.end();
  });

  it('has one plain CALL per slot in the work database, under a role that is not a superuser', async () => {
    const jobs = await processorJobs(admin, site);
    expect(jobs.map(({ database, active }) => ({ database, active }))).toEqual(
      Array(3).fill({ database: site.database, active: true }),
    );
    expect(jobs.map(({ command }) => command)).toEqual(
      [1, 2, 3].map(
        (slot) => `CALL partitioncache.run_processor('${defaultJobName(settings)}', ${slot})`,
      ),
    );
    const { rows } = await admin.query(
      'SELECT DISTINCT rolsuper FROM pg_roles WHERE rolname = ANY ($1)',
      [[site.migrator.name, site.cronRole.name, site.app.name]],
    );
    expect(rows).toEqual([{ rolsuper: false }]);
  });

  it(
    'drains the queue with its own jobs',
    async () => {
      await enqueue(app, settings, fragments(20));
      await waitFor('20 cached fragments', () => cachedFragments(app, settings), {
        deadlineMs: NEXT_START_MS,
        until: (count) => count === 20,
      });
      const { rows } = await app.query(
        `SELECT partition_keys = ARRAY(SELECT DISTINCT zipcode FROM pois WHERE id % 10 = 3 AND zipcode IS NOT NULL ORDER BY 1) AS equal
           FROM my_cache_cache_zipcode WHERE query_hash = 'fragment 13'`,
      );
      expect(rows).toEqual([{ equal: true }]);
      const sources = await app.query(
        `SELECT DISTINCT execution_source, status FROM ${tablesOf(settings).processorLog}`,
      );
      expect(sources.rows).toEqual([{ execution_source: 'cron', status: 'success' }]);
      const { jobs } = await readStatus(settings);
      expect(jobs).toHaveLength(6);
    },
    TEST_MS,
  );

  it(
    'cancels a fragment at its timeout while the run goes on',
    async () => {
      await configureProcessor(settings, wait, (work) =>
        setProcessor(work, settings, defaultJobName(settings), { timeoutSeconds: 2 }),
      );
      // At rest so far, it is needed at all times for so short a timeout.
      await waitFor(
        'a run of maintenance',
        async () =>
          (
            await admin.query(
              "SELECT FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%run_maintenance()'",
              [site.database],
            )
          ).rowCount,
        { deadlineMs: 3 * NEXT_START_MS },
      );
      await enqueue(app, settings, [
        { hash: 'slow', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 FROM pg_sleep(120)' },
      ]);
      const log = await waitFor(
        'the timeout in the log',
        async () =>
          (
            await app.query(
              `SELECT status, execution_time_ms::float8 AS ms FROM ${tablesOf(settings).processorLog} WHERE query_hash = 'slow'`,
            )
          ).rows[0],
        { deadlineMs: 2 * NEXT_START_MS },
      );
      expect(log.status).toBe('timeout');
      expect(log.ms).toBeGreaterThanOrEqual(2000);
      expect(log.ms).toBeLessThan(4000);
      await enqueue(app, settings, [
        { hash: 'next', key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
      ]);
      await waitFor(
        'the next fragment',
        async () =>
          (await app.query(`SELECT FROM ${tablesOf(settings).queries} WHERE query_hash = 'next'`))
            .rowCount,
        { deadlineMs: NEXT_START_MS },
      );
    },
    4 * TEST_MS,
  );

  it(
    'processes nothing further once enabled = false is committed in psql',
    async () => {
      await app.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = false`);
      const before = await cachedFragments(app, settings);
      await enqueue(app, settings, [
        { hash: 'too late', key: 'zipcode', datatype: 'integer', query: 'SELECT 2' },
      ]);
      await waitFor(
        'the end of all runs',
        async () =>
          (
            await admin.query(
              "SELECT FROM cron.job_run_details WHERE username = $1 AND end_time IS NULL AND command LIKE '%run_processor%' AND status = 'running'",
              [site.cronRole.name],
            )
          ).rowCount,
        { deadlineMs: NEXT_START_MS, until: (count) => count === 0 },
      );
      expect(await cachedFragments(app, settings)).toBe(before);
      const left = await app.query(`SELECT hash FROM ${tablesOf(settings).fragmentQueue}`);
      expect(left.rows).toEqual([{ hash: 'too late' }]);
      // The trigger of transport link unschedules at once, which pg_cron logs as cancelled.
      if (transport === 'deploy') expect(await succeededRuns(admin, site)).toBeGreaterThan(0);
      expect(await processorJobs(admin, site)).toHaveLength(transport === 'link' ? 0 : 3);
      await sync(settings, wait);
      expect(await processorJobs(admin, site)).toEqual([]);
      // Maintenance goes on: what was started before must still be timed out.
      expect(await jobsOf(admin, site)).toHaveLength(3);
    },
    TEST_MS,
  );
});

describe('transport link', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let app: pg.Client;

  beforeAll(async () => {
    site = await createSite({ link: true });
    settings = site.settings();
    admin = await adminClient('postgres');
    await setUp(settings, { parallel: 2, frequencySeconds: 90 });
    app = await connectAs(settings.client);
    return () => admin.end();
  });

  async function update(set: string) {
    await app.query(`UPDATE ${tablesOf(settings).processorConfig} SET ${set}`);
  }

  it('lets the jobs follow a plain UPDATE by the application', async () => {
    await update('max_parallel_jobs = 8');
    expect(await processorJobs(admin, site)).toHaveLength(8);
    await update('max_parallel_jobs = 1');
    expect(await processorJobs(admin, site)).toHaveLength(1);
    const { rows } = await app.query(
      `SELECT job_ids::text[] FROM ${tablesOf(settings).processorConfig}`,
    );
    expect(rows[0].job_ids).toEqual((await processorJobs(admin, site)).map(({ jobid }) => jobid));
  });

  it('does not touch a job that need not change', async () => {
    await update('max_parallel_jobs = 1');
    const [before] = await processorJobs(admin, site);
    await update('max_parallel_jobs = 3');
    expect((await processorJobs(admin, site))[0]).toEqual(before);
  });

  it('schedules nothing when the transaction is rolled back', async () => {
    const before = await jobsOf(admin, site);
    await app.query('BEGIN');
    await update('max_parallel_jobs = 15');
    await app.query('ROLLBACK');
    expect(await jobsOf(admin, site)).toEqual(before);
  });

  it('fails the UPDATE with the reason when the other side refuses, but lets the processor be disabled', async () => {
    const work = await connectAs(settings.work);
    await update('enabled = true, max_parallel_jobs = 2');
    await work.query("UPDATE partitioncache.cron_link SET password = 'rotated'");
    for (const parallel of [4, 1]) {
      await expect(update(`max_parallel_jobs = ${parallel}`)).rejects.toThrow(
        /link to database "postgres" on localhost:\d+ as role .*password authentication failed/,
      );
    }
    const { rows } = await app.query(
      `SELECT max_parallel_jobs AS parallel FROM ${tablesOf(settings).processorConfig}`,
    );
    expect(rows).toEqual([{ parallel: 2 }]);
    expect(await processorJobs(admin, site)).toHaveLength(2);

    await update('enabled = false');
    expect((await readStatus(settings)).drift.map(({ problem }) => problem)).toEqual(
      Array(2).fill('orphaned'),
    );
    await sync(settings, wait);
    expect(await processorJobs(admin, site)).toEqual([]);
  });

  it('keeps the password from everyone but the migrator', async () => {
    for (const role of [settings.cron, settings.client]) {
      const client = await connectAs({ ...role, database: site.database });
      await expect(client.query('SELECT password FROM partitioncache.cron_link')).rejects.toThrow(
        'permission denied',
      );
    }
  });
});

describe('transport deploy', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    admin = await adminClient('postgres');
    await setUp(settings, { parallel: 2, frequencySeconds: 3600 });
    return () => admin.end();
  });

  it('shows a change made in psql as drift until sync applies it', async () => {
    const app = await connectAs(settings.client);
    await app.query(`UPDATE ${tablesOf(settings).processorConfig} SET max_parallel_jobs = 3`);
    expect(await processorJobs(admin, site)).toHaveLength(2);
    const { drift, upToDate } = await readStatus(settings);
    expect(upToDate).toBe(false);
    expect(drift.map(({ problem }) => problem)).toEqual(['missing']);
    const { jobs } = await sync(settings, wait);
    expect(jobs.map(({ action }) => action)).toEqual(['scheduled']);
    expect((await readStatus(settings)).upToDate).toBe(true);
  });

  it('repairs what an operator changed: missing, altered, inactive and orphaned jobs', async () => {
    const [first, second] = await processorJobs(admin, site);
    await admin.query('SELECT cron.unschedule($1::bigint)', [first.jobid]);
    await admin.query('SELECT cron.alter_job($1, active := false)', [second.jobid]);
    const cron = await connectAs(settings.cron);
    await cron.query("SELECT cron.schedule_in_database('stray', '* * * * *', $1, $2)", [
      "CALL partitioncache.run_processor('gone', 1)",
      site.database,
    ]);
    const { drift } = await readStatus(settings);
    expect(drift.map(({ problem }) => problem).sort()).toEqual(['altered', 'missing', 'orphaned']);
    await sync(settings, wait);
    expect((await readStatus(settings)).drift).toEqual([]);
    expect((await jobsOf(admin, site)).every(({ active }) => active)).toBe(true);
  });
});

describe('side by side', () => {
  it('keeps two work databases and two prefixes in one of them apart, up to the 63-byte limit', async () => {
    const long = 'w'.repeat(40);
    const one = await createSite({ databasePrefix: long });
    const other = await createSite({ databasePrefix: 'other' });
    const second = {
      PCACHE_SCHEMA: 'partitioncache_second',
      PG_QUEUE_TABLE_PREFIX: `q${'u'.repeat(39)}`,
      PG_ARRAY_CACHE_TABLE_PREFIX: `c${'a'.repeat(42)}`,
    };
    const deployments = [one.settings(), one.settings(second), other.settings()];
    for (const settings of deployments) {
      await setUp(settings, { parallel: 2, frequencySeconds: 3600 });
    }
    const admin = await adminClient('postgres');
    const jobs = [...(await jobsOf(admin, one)), ...(await jobsOf(admin, other))];
    expect(jobs).toHaveLength(15);
    expect(new Set(jobs.map(({ jobname }) => jobname)).size).toBe(15);
    for (const { jobname } of jobs) expect(Buffer.byteLength(jobname)).toBeLessThanOrEqual(63);
    for (const settings of deployments) {
      const status = await readStatus(settings);
      expect(status.jobs).toHaveLength(5);
      expect(status.drift).toEqual([]);
    }

    await down(deployments[0] as Settings, {
      streams: ['work', 'cron'],
      extent: { all: true },
      confirm: async () => true,
      drainSeconds: 20,
      log: () => {},
      ...wait,
    });
    expect(await jobsOf(admin, one)).toHaveLength(5);
    await admin.end();
    // What both share stays while one of them needs it.
    const app = await connectAs((deployments[1] as Settings).client);
    expect(
      await enqueue(app, deployments[1] as Settings, [
        { hash: 'x', key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
      ]),
    ).toEqual(['inserted']);
  });
});
