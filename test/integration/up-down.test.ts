import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { readStreamPlan } from '../../src/deployment/stream-plan.js';
import { type DownOptions, down } from '../../src/operations/down.js';
import { readHistory } from '../../src/operations/history.js';
import { readStatus } from '../../src/operations/status.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
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
import { migrationBefore, migrationNames } from '../harness/package-migrations.js';

function takeDown(settings: Settings, options: Partial<DownOptions> = {}) {
  return down(settings, {
    streams: ['work', 'cron'],
    extent: { all: true },
    dropData: true,
    confirm: async () => true,
    drainSeconds: 30,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
    ...options,
  });
}

async function dumps(site: TestSite) {
  return {
    work: await dumpSchema(site.cluster, site.database),
    cron: await dumpSchema(site.cluster, 'postgres', [`--schema=*${site.database}*`]),
  };
}

async function isAvailable(extension: string): Promise<boolean> {
  const admin = await adminClient('postgres');
  const { rowCount } = await admin.query('SELECT FROM pg_available_extensions WHERE name = $1', [
    extension,
  ]);
  await admin.end();
  return rowCount === 1;
}

const hasRoaringbitmap = await isAvailable('roaringbitmap');

// Debian's PostgreSQL 15 has no roaringbitmap; where it is missing, these count as skipped.
describe.for([
  ['postgresql_array', 'three roles', true],
  ['postgresql_bit', 'three roles', true],
  ['postgresql_roaringbit', 'three roles', hasRoaringbitmap],
  ['postgresql_array', 'one role', true],
] as const)('up and down with %s and %s', ([backend, roles, isPossible]) => {
  let site: TestSite;
  let settings: Settings;

  beforeAll(async () => {
    site = await createSite({ link: true, oneRole: roles === 'one role' });
    settings = site.settings({
      CACHE_BACKEND: backend,
      PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
      PG_BIT_CACHE_TABLE_PREFIX: 'my_cache',
      PG_ROARINGBIT_CACHE_TABLE_PREFIX: 'my_cache',
    });
    if (isPossible && backend === 'postgresql_roaringbit') {
      const admin = await adminClient(site.database);
      await admin.query('CREATE EXTENSION roaringbitmap');
      await admin.end();
    }
  });

  it.skipIf(!isPossible)('gives exactly the same schema after up, down --all, up', async () => {
    const empty = await dumpSchema(site.cluster, site.database);
    await deploy(settings);
    const first = await dumps(site);
    expect(first.work).toContain('CREATE PROCEDURE partitioncache.run_processor');
    expect(first.cron).toContain('apply_jobs');

    await takeDown(settings);
    expect(await dumpSchema(site.cluster, site.database)).toBe(empty);

    await deploy(settings);
    expect(await dumps(site)).toEqual(first);
  });

  it.skipIf(!isPossible)('does nothing the second time', async () => {
    await deploy(settings);
    const report = await deploy(settings);
    expect(report.streams.map(({ migrations }) => migrations)).toEqual([[], []]);
    expect(report.jobs).toEqual([]);
  });
});

describe('down', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    admin = await adminClient(site.database);
    return () => admin.end();
  });

  it('removes everything of ours from both databases, and nothing else', async () => {
    await setUp(settings, { parallel: 2 });
    const app = await connectAs(settings.client);
    await enqueue(app, settings, [
      { hash: 'h1', key: 'zipcode', datatype: 'integer', query: 'SELECT zipcode FROM pois' },
    ]);
    await app.query('SELECT * FROM partitioncache_manual_process_queue(10)');

    let asked: unknown;
    const report = await takeDown(settings, {
      confirm: async ({ lost }) => {
        asked = lost;
        return true;
      },
    });

    expect(asked).toContainEqual({ table: 'my_cache_cache_zipcode', rows: 1 });
    expect(report.lost).toEqual(asked);
    expect(report.streams.map(({ stream }) => stream)).toEqual(['cron', 'work']);
    const { rows: left } = await admin.query(
      `SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relkind = 'r'`,
    );
    expect(left).toEqual([{ relname: 'pois' }]);
    const { rows: functions } = await admin.query(
      `SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(functions).toEqual([]);
    const cron = await adminClient('postgres');
    const { rows: jobs } = await cron.query('SELECT FROM cron.job WHERE username = $1', [
      site.cronRole.name,
    ]);
    const { rows: schemas } = await cron.query('SELECT FROM pg_namespace WHERE nspname = $1', [
      settings.cronSchema,
    ]);
    await cron.end();
    expect({ jobs, schemas }).toEqual({ jobs: [], schemas: [] });
    expect((await admin.query('SELECT count(*)::int FROM pois')).rows[0].count).toBe(3000);
  });

  it('says that an extension stays if something else uses it', async () => {
    await deploy(settings);
    await admin.query(
      'CREATE TABLE users_own (keys integer[]); CREATE INDEX ON users_own USING gin (keys gin__int_ops)',
    );
    const { kept } = await takeDown(settings);
    expect(kept.join('\n')).toContain(`the extension intarray in database "${site.database}"`);
    await admin.query('DROP TABLE users_own; DROP EXTENSION intarray');
    await deploy(settings);
    expect((await takeDown(settings)).kept.join('\n')).not.toContain('intarray');
  });

  it('leaves an extension that a restore has given to another role', async () => {
    await deploy(settings);
    await admin.query('DROP EXTENSION intarray; CREATE EXTENSION intarray');
    const { kept } = await takeDown(settings);
    expect(kept.join('\n')).toContain('or it belongs to another role');
    await admin.query('DROP EXTENSION intarray');
  });

  it('changes nothing when the loss is not confirmed', async () => {
    await setUp(settings, { enable: false });
    const first = await dumpSchema(site.cluster, site.database);
    const report = await takeDown(settings, { confirm: async () => false });
    expect(report.confirmed).toBe(false);
    expect(await dumpSchema(site.cluster, site.database)).toBe(first);
  });

  it('rolls back the cron stream alone; after that, disabling still works and up continues', async () => {
    await setUp(settings, { enable: true, parallel: 1 });
    await takeDown(settings, { streams: ['cron'] });
    // As a rollback that was killed between the streams leaves it.
    const half = { release: 1, rolledBack: await migrationNames('cron'), before: 0 };
    expect(await readHistory(settings)).toMatchObject({ halfUndone: half });
    expect(await readStatus(settings)).toMatchObject({ halfUndone: half });
    const work = await connectAs(settings.work);
    await work.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = false`);
    await work.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = true`);

    const { jobs } = await deploy(settings);
    expect(jobs.map(({ action }) => action)).toEqual(Array(4).fill('scheduled'));
    expect((await readStatus(settings)).upToDate).toBe(true);
    expect(await readHistory(settings)).not.toHaveProperty('halfUndone');
  });

  it('refuses to roll back the work stream while the cron stream is deployed', async () => {
    await deploy(settings);
    await expect(takeDown(settings, { streams: ['work'] })).rejects.toMatchObject({
      name: 'CronStreamStillUpError',
      remedy: expect.stringContaining(
        'Roll it back first: pcache-migrate down --stream cron --all',
      ),
    });
  });

  it("is not stopped by the clients' overloads of our functions, and leaves them", async () => {
    await deploy(settings);
    const functionsIn = `SELECT proname, prokind, oid::regprocedure::text AS signature FROM pg_proc
      WHERE pronamespace = 'public'::regnamespace AND proowner = $1::regrole ORDER BY 3`;
    const ours = await admin.query(functionsIn, [settings.work.user]);
    expect(ours.rows.length).toBeGreaterThan(15);
    const app = await connectAs(settings.client);
    for (const { proname } of ours.rows) {
      await app.query(
        `CREATE OR REPLACE FUNCTION public.${proname}(point, box) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
      );
    }
    const theirs = async () => (await admin.query(functionsIn, [settings.client.user])).rows;
    const overloads = await theirs();

    await takeDown(settings);
    expect((await admin.query(functionsIn, [settings.work.user])).rows).toEqual([]);
    expect(await theirs()).toEqual(overloads);
    for (const { signature } of overloads) await app.query(`DROP FUNCTION ${signature}`);
  });

  it('rolls back to a migration and up again', async () => {
    await deploy(settings);
    const first = await dumps(site);
    const to = await migrationBefore('work', 'evaluate_item');
    const { streams: rolledBack } = await takeDown(settings, { streams: ['work'], extent: { to } });
    const later = (await migrationNames('work')).filter((name) => name > to);
    expect(later.length).toBeGreaterThan(10);
    expect(rolledBack.map(({ migrations }) => migrations)).toEqual([later.toReversed()]);
    expect((await readStatus(settings)).streams[0]?.pending).toEqual(later);
    await deploy(settings);
    expect(await dumps(site)).toEqual(first);
  });

  it('keeps queue and cache while the processor is rolled back and deployed again', async () => {
    await setUp(settings, { enable: false });
    await admin.query('UPDATE partitioncache_queue_processor_config SET enabled = false');
    const app = await connectAs(settings.client);
    const cronRole = await connectAs({ ...settings.cron, database: site.database });
    const processOne = () => runProcessor(cronRole, settings, defaultJobName(settings), 1);
    const cached = async () =>
      (await app.query('SELECT query_hash FROM my_cache_cache_zipcode ORDER BY 1')).rows.map(
        ({ query_hash }) => query_hash,
      );
    await enqueue(
      app,
      settings,
      ['a', 'b'].map((hash) => ({ hash, key: 'zipcode', datatype: null, query: 'SELECT 1' })),
    );

    expect((await processOne()).outcomes).toEqual({ ok: 1 });
    await takeDown(settings, {
      streams: ['work'],
      extent: { to: await migrationBefore('work', 'evaluate_item') },
    });
    expect(await cached()).toEqual(['a']);
    await deploy(settings);
    expect((await processOne()).outcomes).toEqual({ ok: 1 });
    expect(await cached()).toEqual(['a', 'b']);
    await takeDown(settings);
  });

  it('records in the work database where the cron stream is, or was', async () => {
    const recorded = async () =>
      (await admin.query('SELECT cron_database, pg_cron_version FROM partitioncache.deployment'))
        .rows[0];
    await deploy(settings);
    expect(await recorded()).toEqual({
      cron_database: 'postgres',
      pg_cron_version: expect.any(String),
    });
    await takeDown(settings, { streams: ['cron'] });
    expect(await recorded()).toEqual({ cron_database: 'postgres', pg_cron_version: null });
    await takeDown(settings);
  });

  it('drops at each step the tables that the migration says it drops, and no others', async () => {
    await deploy(settings);
    const clientTables = async () => {
      const { rows } = await admin.query(
        `SELECT relname FROM pg_class
          WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`,
      );
      return rows.map(({ relname }) => relname);
    };
    await takeDown(settings, { streams: ['cron'] });
    const plan = await withClient(settings.work, (work) => readStreamPlan(work, settings, 'work'));
    const said: string[] = [];
    let count = 0;
    for (const { drops } of plan.migrations.toReversed()) {
      count += 1;
      // Those that drop none are undone with the next one that does.
      if (drops.length === 0) continue;
      const before = await clientTables();
      await takeDown(settings, { streams: ['work'], extent: { count } });
      const after = await clientTables();
      expect(before.filter((table) => !after.includes(table))).toEqual([...drops].sort());
      said.push(...drops);
      count = 0;
    }
    expect(said.sort()).toEqual(Object.values(deploymentTables(settings)).sort());
  });
});

describe('a work database whose name needs quoting', () => {
  it.each([['Work "quoted" DB'], ["ÜPPER-case; it's"], ['w'.repeat(54)]])(
    'is deployed, scheduled and rolled back: %s',
    async (databasePrefix) => {
      const site = await createSite({ databasePrefix, link: true });
      const settings = site.settings();
      const empty = await dumpSchema(site.cluster, site.database);
      await setUp(settings, { parallel: 1, frequencySeconds: 3600 });
      const status = await readStatus(settings);
      expect(status.upToDate).toBe(true);
      expect(status.jobs).toHaveLength(4);
      await takeDown(settings);
      expect(await dumpSchema(site.cluster, site.database)).toBe(empty);
    },
  );
});
