import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { cronName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { type DownOptions, down } from '../../src/operations/down.js';
import { placeHold, readHolds, releaseHold } from '../../src/processor/holds.js';
import type { Settings } from '../../src/settings/settings.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationBefore } from '../harness/package-migrations.js';
import { whatRuns, whileNoQueueIsDropped } from '../harness/refused-drop.js';
import { waitFor } from '../harness/wait-for.js';

describe('single mode, pg_cron in the work database', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;
  let app: pg.Client;
  let empty: string;

  beforeAll(async () => {
    const cluster = await startOwnCluster({ cronDatabase: 'all_in_one' });
    const creator = await adminClient('postgres', cluster);
    await creator.query('CREATE DATABASE all_in_one');
    await creator.end();
    admin = await adminClient('all_in_one', cluster);
    await admin.query('CREATE EXTENSION pg_cron');
    site = await createSite({ cluster, cronDatabase: 'all_in_one', database: 'all_in_one' });
    settings = site.settings();
    empty = await dumpSchema(cluster, 'all_in_one');
    await setUp(settings, { parallel: 2, frequencySeconds: 1 });
    app = await connectAs(settings.client);
    return () => admin.end();
  });

  const takeDown = (options: Partial<DownOptions>) =>
    down(settings, {
      streams: ['work', 'cron'],
      extent: { all: true },
      confirm: async () => true,
      drainSeconds: 30,
      waitSeconds: 20,
      onWait: () => {},
      log: () => {},
      ...options,
    });

  it('is recognised', () => {
    expect(settings).toMatchObject({ mode: 'single', transport: 'direct' });
  });

  it('lets the migrator call apply_jobs, as whom the trigger does, and no client', async () => {
    const apply = `SELECT ${cronName(settings, 'apply_jobs')}('[]')`;
    const migrator = await connectAs(settings.work);
    await migrator.query('BEGIN');
    await migrator.query(apply);
    await migrator.query('ROLLBACK');
    await expect(app.query(apply)).rejects.toMatchObject({ code: '42501' });
  });

  it('lets the jobs follow an UPDATE in its own transaction', async () => {
    const jobs = async () =>
      (await admin.query("SELECT FROM cron.job WHERE command LIKE '%run_processor%'")).rowCount;
    await app.query('BEGIN');
    await app.query(`UPDATE ${tablesOf(settings).processorConfig} SET max_parallel_jobs = 6`);
    await app.query('SET CONSTRAINTS ALL IMMEDIATE');
    await app.query('ROLLBACK');
    expect(await jobs()).toBe(2);
    await app.query(`UPDATE ${tablesOf(settings).processorConfig} SET max_parallel_jobs = 4`);
    expect(await jobs()).toBe(4);
  });

  it('leaves what is enabled as it was, with its jobs, when down fails', async () => {
    const before = await whatRuns(admin, admin, settings);
    expect(before).toMatchObject({ processors: [{ enabled: true }] });
    const to = await migrationBefore('work', 'notify_queue');
    await whileNoQueueIsDropped(admin, settings, async () => {
      await expect(takeDown({ streams: ['work'], extent: { to } })).rejects.toThrow('not this one');
    });
    expect(await whatRuns(admin, admin, settings)).toEqual(before);
  });

  it('drains the queue that down kept and up took back, and then disappears without a trace', async () => {
    const migrator = await connectAs(settings.work);
    await placeHold(migrator, settings, 'pause', 'so that the fragment stays queued');
    await enqueue(app, settings, [
      { hash: 'h', key: 'zipcode', datatype: 'integer', query: 'SELECT zipcode FROM pois' },
    ]);
    await takeDown({});
    const { takenBack, jobs } = await deploy(settings);
    expect(takenBack).toEqual(
      expect.arrayContaining([
        { table: deploymentTables(settings).fragmentQueue, rows: 1 },
        { table: deploymentTables(settings).processorConfig, rows: 1 },
        { table: 'hold', rows: 1 },
      ]),
    );
    expect(jobs.map(({ action }) => action)).toEqual(Array(7).fill('scheduled'));
    expect(await readHolds(migrator, settings)).toMatchObject([{ holder: 'pause' }]);
    await releaseHold(migrator, settings, 'pause');
    await waitFor(
      'the cached fragment',
      async () =>
        (await app.query(`SELECT FROM ${tablesOf(settings).queries} WHERE status = 'ok'`)).rowCount,
      { deadlineMs: 75_000 },
    );
    await takeDown({ dropData: true });
    expect(await dumpSchema(site.cluster, 'all_in_one')).toBe(empty);
    expect((await admin.query('SELECT FROM cron.job')).rowCount).toBe(0);
  }, 150_000);
});
