import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { down } from '../../src/operations/down.js';
import { verify } from '../../src/operations/verify.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { setProcessor } from '../../src/processor/processor-config.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import { adminClient, createRole } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  type SiteOptions,
  setUp,
  setUpWithoutJobs,
} from '../harness/deployment.js';
import { all, QUEUE, undo, type VerifiedSite, verifiedSite } from './verify/site.js';

describe('nothing differs', () => {
  it.each<[string, SiteOptions, NodeJS.ProcessEnv]>([
    ['without a fragment role', { fragmentRole: false }, {}],
    ['where one role is all', { oneRole: true }, {}],
    [
      'with the bit backend',
      {},
      { CACHE_BACKEND: 'postgresql_bit', PG_BIT_CACHE_TABLE_PREFIX: 'bits' },
    ],
    ['with a link', { link: true }, {}],
    [
      'in a clients’ schema whose name is quoted',
      {},
      { PCACHE_CLIENT_SCHEMA: 'Client "s" schema' },
    ],
  ])('after a deployment %s', async (_, options, changes) => {
    const made = await createSite(options);
    const admin = await adminClient(made.database, made.cluster);
    undo.push(() => admin.end());
    const settings = made.settings(changes);
    if (settings.clientSchema !== 'public') {
      const name = pg.escapeIdentifier(settings.clientSchema);
      await admin.query(`CREATE SCHEMA ${name}`);
      await admin.query(
        `GRANT USAGE, CREATE ON SCHEMA ${name} TO ${made.migrator.name}, ${made.app.name}`,
      );
      await admin.query(
        `GRANT USAGE ON SCHEMA ${name} TO ${made.cronRole.name}, ${made.fragmentRole}`,
      );
    }
    await setUp(settings, { enable: false });
    const report = await verify(settings);
    expect({
      all: all(report),
      jobs: report.jobs,
      unknown: report.unknown,
      clean: report.clean,
    }).toEqual({ all: [], jobs: [], unknown: [], clean: true });
    expect(report.databases[0]?.objects).toBeGreaterThan(900);
  });

  it('after fragments, caches, other settings and a VACUUM', async () => {
    const { site: made, settings, admin } = await verifiedSite({ deployed: false });
    undo.push(() => admin.end());
    await setUpWithoutJobs(settings);
    await deploy(settings);
    const app = await connectAs(settings.client);
    const cronRole = await connectAs({ ...settings.cron, database: made.database });
    await enqueue(
      app,
      settings,
      ['zipcode', 'city'].map((key) => ({
        hash: key,
        key,
        datatype: null,
        query: `SELECT ${key} FROM pois`,
      })),
    );
    const name = defaultJobName(settings);
    expect((await runProcessor(cronRole, settings, name, 10)).outcomes).toEqual({ ok: 2 });
    await app.query(
      "SELECT partitioncache_bootstrap_partition('my_cache', 'area', 'integer', 'array')",
    );
    const work = await connectAs(settings.work);
    await setProcessor(work, settings, name, { timeoutSeconds: 60, resultLimit: 10 });
    await admin.query('VACUUM (FULL, ANALYZE)');
    const { rows } = await admin.query(
      "SELECT FROM pg_class WHERE relname LIKE 'my_cache_cache_%'",
    );
    expect(rows.length).toBeGreaterThan(2);
    expect(all(await verify(settings))).toEqual([]);
  });

  it('after a rollback of some migrations, and after they are applied again', async () => {
    const { settings, admin } = await verifiedSite();
    undo.push(() => admin.end());
    for (const stream of ['cron', 'work'] as const) {
      await down(settings, {
        streams: [stream],
        extent: { count: 4 },
        confirm: async () => true,
        drainSeconds: 5,
        waitSeconds: 5,
        onWait: () => {},
        log: () => {},
      });
    }
    expect(all(await verify(settings))).toEqual([]);
    await deploy(settings);
    expect(await verify(settings)).toMatchObject({ clean: true });
  });

  it('where two deployments share the clients’ schema and its functions', async () => {
    const { site: made, settings, admin } = await verifiedSite();
    undo.push(() => admin.end());
    const other = await createRole('second', made.cluster);
    undo.push(() => admin.query(`DROP OWNED BY ${other.name} CASCADE; DROP ROLE ${other.name}`));
    await admin.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${other.name}`);
    const second = made.settings({
      PCACHE_SCHEMA: 'second',
      PG_QUEUE_TABLE_PREFIX: 'second',
      PG_ARRAY_CACHE_TABLE_PREFIX: 'second_cache',
      PG_QUEUE_USER: other.name,
      PG_QUEUE_PASSWORD: other.password,
    });
    await setUp(second, { enable: false });
    expect(all(await verify(settings))).toEqual([]);
    expect(all(await verify(second))).toEqual([]);

    // What neither recorded differs for both.
    await admin.query(`GRANT SELECT ON ${QUEUE} TO ${other.name}`);
    await admin.query('ALTER FUNCTION partitioncache_deployments() VOLATILE');
    expect(all(await verify(second))).toEqual([
      'changed function public.partitioncache_deployments()',
    ]);
    expect(all(await verify(settings))).toEqual([
      'changed function public.partitioncache_deployments()',
      `unexpected grant table ${QUEUE} TO ${other.name}`,
    ]);

    // What the other one recorded so is no difference, whoever looks.
    const [changed] = (await verify(second)).databases[0]?.differences ?? [];
    await admin.query(
      'UPDATE second.recorded_object SET definition = $1 WHERE kind = $2 AND identity = $3',
      [changed?.found, changed?.kind, changed?.identity],
    );
    const ours = [`unexpected grant table ${QUEUE} TO ${other.name}`];
    expect(all(await verify(settings))).toEqual(ours);
    const reader = await createRole('reader', made.cluster);
    undo.push(() => admin.query(`DROP ROLE ${reader.name}`));
    await admin.query(`GRANT pg_read_all_data TO ${reader.name}`);
    // Whoever owns the database is trusted in any case.
    await admin.query(`ALTER DATABASE ${made.database} OWNER TO CURRENT_USER`);
    const planning = made.settings({
      PG_PLAN_USER: reader.name,
      PG_PLAN_PASSWORD: reader.password,
    });
    expect(all(await verify(planning, { asPlanner: true }))).toEqual(ours);
  });

  describe('what another deployment recorded', () => {
    const changed = 'changed function public.partitioncache_deployments()';
    let pair: VerifiedSite;

    beforeAll(async () => {
      pair = await verifiedSite();
      const { site, admin } = pair;
      await setUp(
        site.settings({
          PCACHE_SCHEMA: 'second',
          PG_QUEUE_TABLE_PREFIX: 'second',
          PG_ARRAY_CACHE_TABLE_PREFIX: 'second_cache',
        }),
        { enable: false },
      );
      await admin.query('ALTER FUNCTION partitioncache_deployments() VOLATILE');
      await admin.query(
        `UPDATE second.recorded_object SET definition = pg_get_functiondef('partitioncache_deployments'::regproc)
          WHERE kind = 'function' AND identity = 'public.partitioncache_deployments()'`,
      );
      return () => admin.end();
    });

    it('is no drift in the clients’ schema', async () => {
      expect(all(await verify(pair.settings))).not.toContain(changed);
    });

    it.each([
      [
        'if others may write it',
        'GRANT UPDATE ON second.recorded_object TO PUBLIC',
        'REVOKE UPDATE ON second.recorded_object FROM PUBLIC',
      ],
      [
        'if others may write which format it has',
        'GRANT UPDATE ON second.recording TO PUBLIC',
        'REVOKE UPDATE ON second.recording FROM PUBLIC',
      ],
      [
        'in another format',
        'UPDATE second.recording SET format = format + 1',
        'UPDATE second.recording SET format = format - 1',
      ],
      [
        'in other columns',
        'ALTER TABLE second.recorded_object RENAME verbatim TO other',
        'ALTER TABLE second.recorded_object RENAME other TO verbatim',
      ],
    ])('does not count %s', async (_, sql, back) => {
      await pair.admin.query(sql);
      undo.push(() => pair.admin.query(back));
      expect(all(await verify(pair.settings))).toContain(changed);
    });

    it('says nothing of our own schema', async () => {
      const { admin, settings } = pair;
      await admin.query(
        `CREATE TABLE partitioncache.planted ();
         INSERT INTO second.recorded_object
         SELECT 'table', 'partitioncache.planted', '{}', definition, NULL, 1, server_version_num
           FROM second.recorded_object WHERE identity = 'second.slot' AND kind = 'table'`,
      );
      expect(all(await verify(settings))).toContain('unexpected table partitioncache.planted');
    });
  });
});
