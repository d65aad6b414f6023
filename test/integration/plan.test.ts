import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type DownOptions, down } from '../../src/operations/down.js';
import { type PlanReport, plan } from '../../src/operations/plan.js';
import { readStatus } from '../../src/operations/status.js';
import { verify } from '../../src/operations/verify.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient, createRole, type Role } from '../harness/databases.js';
import { connectAs, createSite, deploy, setUp, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationBefore, migrationNames } from '../harness/package-migrations.js';
import { startStandby } from '../harness/standby.js';

function upPlan(settings: Settings): Promise<PlanReport> {
  return plan(settings, { direction: 'up', streams: ['work', 'cron'] });
}

function takeDown(settings: Settings, options: Partial<DownOptions> = {}) {
  return down(settings, {
    streams: ['work', 'cron'],
    extent: { all: true },
    confirm: async () => true,
    drainSeconds: 30,
    waitSeconds: 20,
    onWait: () => {},
    log: () => {},
    ...options,
  });
}

function pendingIn({ streams }: PlanReport): number[] {
  return streams.map(({ migrations }) => migrations.length);
}

const sorted = (all: readonly { action: string; jobName: string }[] | null) =>
  (all ?? []).map(({ action, jobName }) => `${action} ${jobName}`).sort();

/** Roles, memberships, grants and all schemas of the cluster, to the letter. */
async function wholeDump(cluster: ThrowawayCluster): Promise<string> {
  const dump = await runServerTool(cluster, 'pg_dumpall', ['--schema-only', '--username=postgres']);
  return dump.replaceAll(/^\\(un)?restrict .*$/gm, '');
}

async function ownClusterWithCron(): Promise<ThrowawayCluster> {
  const cluster = await startOwnCluster();
  const admin = await adminClient('postgres', cluster);
  await admin.query('CREATE EXTENSION pg_cron');
  await admin.end();
  return cluster;
}

describe('a plan', () => {
  let cluster: ThrowawayCluster;
  let site: TestSite;
  let settings: Settings;

  beforeAll(async () => {
    // Of its own, so that nobody else changes what the dump of the whole says.
    cluster = await ownClusterWithCron();
    site = await createSite({ cluster });
    settings = site.settings();
  });

  it('changes nothing, whether something is deployed or not', async () => {
    const empty = await wholeDump(cluster);
    const first = await upPlan(settings);
    expect(first.isPending).toBe(true);
    expect(await wholeDump(cluster)).toBe(empty);

    await deploy(settings);
    const deployed = await wholeDump(cluster);
    expect(deployed).not.toBe(empty);
    const second = await upPlan(settings);
    expect(second).toMatchObject({ isPending: false, jobs: [], fragmentRole: null, unknown: [] });
    expect(pendingIn(second)).toEqual([0, 0]);
    const back = await plan(settings, {
      direction: 'down',
      streams: ['work', 'cron'],
      extent: { lastRelease: true },
    });
    expect(pendingIn(back)).toEqual(pendingIn(first).toReversed());
    expect(await wholeDump(cluster)).toBe(deployed);
    await takeDown(settings);
  });

  // The port of a second server in the container would not be published.
  it.skipIf(inject('runtime').kind === 'docker')(
    'can be made on a standby, of which status says so',
    async () => {
      const standby = await startStandby(cluster);
      try {
        const there = site.settings({
          DB_PORT: String(standby.address.port),
          PG_CRON_PORT: String(standby.address.port),
        });
        await standby.catchUp();
        expect(await upPlan(there)).toEqual(await upPlan(settings));
        await deploy(settings);
        await setUp(settings, { parallel: 2, enable: true });
        await standby.catchUp();
        expect(await upPlan(there)).toEqual(await upPlan(settings));
        expect(await readStatus(settings)).toMatchObject({ upToDate: true });
        const status = await readStatus(there);
        expect(status).toMatchObject({
          readOnly: { isForAll: true, what: expect.stringContaining('it is a standby') },
          drift: [],
          unknown: [],
          upToDate: false,
        });
        expect(status.processors).toHaveLength(1);
      } finally {
        await standby.stop();
      }
      await takeDown(settings);
    },
  );
});

describe('what a plan says', () => {
  let site: TestSite;
  let settings: Settings;
  let admin: pg.Client;

  beforeAll(async () => {
    site = await createSite();
    settings = site.settings();
    admin = await adminClient('postgres');
    return () => admin.end();
  });

  it('run by psql gives the same schema as up', async () => {
    const byHand = await createSite();
    const other = byHand.settings();
    // Something for an administrator to do.
    for (const name of [site.cronRole.name, byHand.cronRole.name]) {
      await admin.query(`REVOKE USAGE ON SCHEMA cron FROM ${name}`);
    }
    const found = await upPlan(other);
    expect(found.administrator).toEqual([
      { database: 'postgres', lines: [expect.stringContaining('GRANT USAGE ON SCHEMA "cron"')] },
    ]);
    for (const { database, lines } of found.administrator ?? []) {
      await psql(byHand, { user: 'postgres', database }, lines);
    }
    for (const { stream, database, preparation, migrations } of found.streams) {
      await psql(byHand, { user: other[stream].user, password: other[stream].password, database }, [
        ...preparation,
        ...migrations.map(({ sql }) => sql),
        ...(stream === 'work'
          ? [`SELECT ${other.schema}.set_fragment_role('${found.fragmentRole}')`]
          : []),
      ]);
    }

    const withAdministrator = site.settings({
      PG_ADMIN_USER: site.cluster.adminUser,
      PG_ADMIN_PASSWORD: site.cluster.adminPassword,
    });
    const report = await deploy(withAdministrator);
    expect(report.administrator).toHaveLength(1);
    expect(await dumps(byHand, other)).toEqual(await dumps(site, settings));
  });

  it('of the jobs is what up then does', async () => {
    await setUp(settings, { parallel: 3, enable: true });
    const cron = await connectAs(settings.cron);
    await cron.query(
      "SELECT cron.unschedule(jobid) FROM cron.job WHERE username = current_user AND jobname LIKE '%\\_1'",
    );
    await admin.query(
      "SELECT cron.alter_job(jobid, schedule => '5 5 * * *') FROM cron.job WHERE username = $1 AND jobname LIKE '%\\_2'",
      [site.cronRole.name],
    );
    await cron.query(
      "SELECT cron.schedule_in_database('old set-up', '0 0 1 1 *', 'SELECT 1', $1)",
      [site.database],
    );
    const found = await upPlan(settings);
    expect(found.jobs?.map(({ action }) => action)).toEqual(['left', 'altered', 'scheduled']);
    expect(sorted(found.jobs)).toEqual(sorted((await deploy(settings)).jobs));
    await cron.query("SELECT cron.unschedule('old set-up')");

    await takeDown(settings, { streams: ['cron'] });
    const anew = await upPlan(settings);
    expect(anew.jobs).toHaveLength(6);
    expect(sorted(anew.jobs)).toEqual(sorted((await deploy(settings)).jobs));
  });

  it('of the jobs is that nobody knows, where a migration decides on them', async () => {
    await setUp(settings, { parallel: 1, enable: true });
    await takeDown(settings, {
      streams: ['work', 'cron'],
      extent: { to: await migrationBefore('work', 'desired_jobs') },
    });
    const found = await upPlan(settings);
    expect(found).toMatchObject({ jobs: null, unknown: [{ part: 'jobs' }] });
    expect(found.hash).toMatch(/-without-jobs$/);
    expect((await deploy(settings)).jobs.length).toBeGreaterThan(0);
  });

  it('of the locks has the rows and bytes at stake', async () => {
    await deploy(settings);
    const work = await connectAs(settings.work);
    await work.query(
      `INSERT INTO partitioncache_queue_query_fragment_queue (query, hash, partition_key)
       SELECT 'SELECT 1', 'h' || i, 'k' FROM generate_series(1, 2000) AS i`,
    );
    await work.query('ANALYZE partitioncache_queue_query_fragment_queue');
    const { streams } = await plan(settings, {
      direction: 'down',
      streams: ['work', 'cron'],
      extent: { all: true },
    });
    const locks = streams.flatMap(({ migrations }) =>
      migrations.flatMap((migration) => migration.locks ?? []),
    );
    expect(locks).toContainEqual({
      relation: 'public.partitioncache_queue_query_fragment_queue',
      modes: ['AccessExclusiveLock'],
      rows: 2000,
      bytes: expect.any(Number),
    });
    await work.query('TRUNCATE partitioncache_queue_query_fragment_queue');
  });

  it('as a role that may only read is the same, but for what that role is not told', async () => {
    await deploy(settings);
    const reader = await createRole('reader');
    const asReader = site.settings({
      PG_PLAN_USER: reader.name,
      PG_PLAN_PASSWORD: reader.password,
    });
    try {
      await expect(upPlan(asReader)).rejects.toMatchObject({
        name: 'LedgerError',
        message: expect.stringContaining('permission denied'),
      });
      await admin.query(`GRANT pg_read_all_data TO ${reader.name}`);
      const complete = await upPlan(settings);
      const found = await upPlan(asReader);
      expect(found.unknown).toEqual([
        { part: 'jobs', reason: expect.stringContaining('permission denied') },
      ]);
      const { hash, jobs, unknown, unchecked, ...rest } = found;
      expect(hash).toMatch(/^sha256:[0-9a-f]{64}-without-jobs$/);
      expect({ jobs, unknown, unchecked }).not.toMatchObject({ jobs: [] });
      expect(complete).toMatchObject(rest);
    } finally {
      await admin.query(`DROP ROLE ${reader.name}`);
    }
  });
});

it('as a role with the grants that the guide names is what a reader of all data makes', async () => {
  const site = await createSite({ link: true });
  const settings = site.settings();
  const [work, cron] = [await migrationNames('work'), await migrationNames('cron')];
  const [reader, all] = [await createRole('planner'), await createRole('reader')];
  const admins = [await adminClient(site.database), await adminClient('postgres')];
  const as = (role: Role) =>
    site.settings({ PG_PLAN_USER: role.name, PG_PLAN_PASSWORD: role.password });
  const guide = readFileSync('docs/operations.md', 'utf8');
  const [, grants = ''] = /### A role for plan[\s\S]*?```sql\n([\s\S]*?)```/.exec(guide) ?? [];
  try {
    await admins[0]?.query(`GRANT pg_read_all_data TO ${all.name}`);
    await deploy(settings, { streams: ['work'], to: work.at(-3) });
    await admins[0]?.query(grants.replaceAll('planner', reader.name));
    const inWork = { direction: 'up', streams: ['work'] } as const;
    expect(await plan(as(reader), inWork)).toEqual(await plan(as(all), inWork));

    await deploy(settings, { streams: ['work'] });
    await deploy(settings, { streams: ['cron'], to: cron.at(-2) });
    await admins[1]?.query(
      grants
        .replaceAll('planner', reader.name)
        .replace('partitioncache.release,', '')
        .replaceAll('partitioncache', settings.cronSchema),
    );
    const complete = await upPlan(as(all));
    // Their names stand in the reasons for what is not known.
    const found = JSON.stringify(await upPlan(as(reader))).replaceAll(reader.name, all.name);
    expect(JSON.parse(found)).toEqual(complete);
    expect(complete.unknown.map(({ part }) => part)).toEqual(['jobs']);
    const grantsNamed = async (of: Settings) =>
      (await verify(of, { asPlanner: of.planner !== undefined })).databases
        .flatMap(({ differences }) => differences)
        .filter(({ identity }) => identity.endsWith(` TO ${reader.name}`)).length;
    expect(await grantsNamed(as(reader))).toBe(0);
    expect(await grantsNamed(settings)).toBeGreaterThan(5);
    const back = {
      direction: 'down',
      streams: ['work', 'cron'],
      extent: { lastRelease: true },
    } as const;
    expect((await plan(as(reader), back)).hash).toBe((await plan(as(all), back)).hash);

    const asReader = await connectAs({
      ...settings.work,
      user: reader.name,
      password: reader.password,
    });
    await expect(asReader.query('SELECT FROM partitioncache.cron_link')).rejects.toThrow(
      'permission denied',
    );
    await asReader.end();
  } finally {
    for (const admin of admins) {
      await admin.query(`DROP OWNED BY ${reader.name}`);
      await admin.end();
    }
    const admin = await adminClient('postgres');
    await admin.query(`DROP ROLE ${reader.name}, ${all.name}`);
    await admin.end();
  }
});

interface Login {
  user: string;
  password?: string | undefined;
  database: string;
}

async function psql(
  site: TestSite,
  { user, password, database }: Login,
  scripts: readonly string[],
) {
  const { serverPort, adminPassword } = site.cluster;
  await runServerTool(site.cluster, 'psql', [
    '--no-psqlrc',
    '--set=ON_ERROR_STOP=1',
    '--quiet',
    `--dbname=postgresql://${user}:${password ?? adminPassword}@127.0.0.1:${serverPort}/${database}`,
    ...['SET search_path = pg_catalog, pg_temp', ...scripts].flatMap((script) => ['-c', script]),
  ]);
}

async function dumps(site: TestSite, { cronSchema }: Settings) {
  const plain = (dump: string) =>
    dump
      .replaceAll(site.database, 'work')
      .replaceAll(site.migrator.name, 'migrator')
      .replaceAll(site.cronRole.name, 'cron_role')
      .replaceAll(site.app.name, 'app')
      .replaceAll(site.fragmentRole ?? '', 'fragments');
  return {
    work: plain(await dumpSchema(site.cluster, site.database)),
    cron: plain(await dumpSchema(site.cluster, 'postgres', [`--schema=${cronSchema}`])),
  };
}
