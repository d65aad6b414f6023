import type { Duplex } from 'node:stream';
import pg from 'pg';
import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  inject,
  it,
  onTestFinished,
} from 'vitest';
import { runCli } from '../../src/cli/run-cli.js';
import { withClient } from '../../src/database/connect.js';
import { MovedDatabaseError } from '../../src/deployment/require-in-place.js';
import { OwnersLostError } from '../../src/deployment/restored-owners.js';
import { readWhereabouts } from '../../src/deployment/whereabouts.js';
import { failures } from '../../src/doctor/check-result.js';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { PcacheError } from '../../src/errors/pcache-error.js';
import { adopt } from '../../src/operations/adopt.js';
import type { AdoptReport } from '../../src/operations/adopt-report.js';
import { down } from '../../src/operations/down.js';
import { changeMode } from '../../src/operations/mode/change-mode.js';
import { resume } from '../../src/operations/pause.js';
import { PreflightError } from '../../src/operations/preflight.js';
import { prune } from '../../src/operations/prune.js';
import { readStatus } from '../../src/operations/status.js';
import { sync } from '../../src/operations/sync.js';
import { exportSettings } from '../../src/operations/transfer-settings.js';
import { verify } from '../../src/operations/verify.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ClusterAddress, ThrowawayCluster } from '../../tools/throwaway/cluster.js';
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
import {
  anyName,
  asAdmin,
  copyDatabase,
  copyRoles,
  dropDatabase,
  dumpDatabase,
  endRuns,
  renameDatabase,
  restoreDatabase,
} from '../harness/moved-databases.js';
import { startPointInTime } from '../harness/standby.js';
import { waitFor } from '../harness/wait-for.js';
import { cli, fakeWorld } from '../unit/cli/fake-world.js';
import { differing } from './verify/report.js';

// What does not depend on the version of PostgreSQL or pg_cron is tried with one. With 1.4 jobs start at the full
// minute only.
const itOnce = it.skipIf(inject('runtime').kind === 'local');

const quietly = { waitSeconds: 20, onWait: () => {}, log: () => {} };
const fragment = (hash: string) => ({
  hash,
  key: 'zipcode',
  datatype: 'integer',
  query: 'SELECT zipcode FROM pois',
});

let cluster: ThrowawayCluster;
let site: TestSite;
let original: Settings;
let admin: pg.Client;
const databases: string[] = [];
/** Whose queue is to be worked off in the end. */
const adopted: { settings: Settings; cluster: ClusterAddress }[] = [];

const named = (prefix: string) => {
  const name = anyName(prefix);
  databases.push(name);
  return name;
};
const found = (settings: Settings) =>
  withClient(settings.work, (work) => readWhereabouts(work, settings));

/** The jobs of a database, with their numbers: whoever unschedules one and schedules it again is found out. */
async function jobsOf(database: string, client: pg.Client = admin): Promise<string[]> {
  const { rows } = await client.query(
    `SELECT jobid || ' ' || jobname AS job FROM cron.job
      WHERE database = $1 OR jobname IN (
              'partitioncache_' || $1 || '_history', 'partitioncache_' || $1 || '_dispatch')
      ORDER BY job`,
    [database],
  );
  return rows.map(({ job }) => job);
}

/** Whether it failed, when the connection that is to run so many statements from then on is lost. */
async function withConnectionLost(
  use: (arm: (statements: number) => void) => Promise<unknown>,
): Promise<boolean> {
  const query = pg.Client.prototype.query;
  let left = Number.POSITIVE_INFINITY;
  const counted = function (
    this: pg.Client & { connection: { stream: Duplex } },
    ...args: never[]
  ) {
    left -= 1;
    if (left === 0) this.connection.stream.destroy();
    return Reflect.apply(query, this, args);
  };
  pg.Client.prototype.query = counted as unknown as typeof query;
  try {
    await use((statements) => {
      left = statements;
    });
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(PcacheError);
    return true;
  } finally {
    pg.Client.prototype.query = query;
  }
}

async function enable(settings: Settings): Promise<void> {
  await withClient(settings.work, (work) =>
    work.query(`UPDATE ${tablesOf(settings).processorConfig} SET enabled = true`),
  );
}

/** Adopts with an enabled processor, and finds everything in place then. */
async function adoptAll(settings: Settings, cluster: ClusterAddress): Promise<AdoptReport> {
  await enable(settings);
  const report = await adopt(settings, { ...quietly, dryRun: false, confirm: async () => true });
  expect(report.refused).toEqual([]);
  expect(report.jobs.map(({ jobName }) => jobName)).toContain(
    `partitioncache_${settings.work.database}_mycache_1`,
  );
  await expectInPlace(settings, cluster);
  return report;
}

async function expectInPlace(settings: Settings, cluster: ClusterAddress): Promise<void> {
  expect(await found(settings)).toMatchObject({ kind: 'same' });
  const { databases: reports, ledger, jobs, unknown, clean } = await verify(settings);
  expect({ ledger, jobs, unknown, differences: reports.flatMap(differing) }).toEqual({
    ledger: [],
    jobs: [],
    unknown: [],
    differences: [],
  });
  expect(clean).toBe(true);
  adopted.push({ settings, cluster });
}

beforeAll(async () => {
  // Of its own: pg_cron 1.4 makes DROP DATABASE wait while it runs any job.
  cluster = await startOwnCluster({ settings: { max_worker_processes: '30' } });
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron']);
  site = await createSite({ cluster });
  original = site.settings();
  admin = await adminClient('postgres', site.cluster);
  await setUp(original, { parallel: 1, frequencySeconds: 1, enable: false });
  const app = await connectAs(original.client);
  await enqueue(app, original, [fragment('cached')]);
  const cronRole = await connectAs({ ...original.cron, database: site.database });
  await runProcessor(cronRole, original, defaultJobName(original), 10);
  await enqueue(app, original, [fragment('queued')]);
  await app.end();
  await cronRole.end();
});

// Of a dozen databases they would keep the server busy; what was queued waits for the last test.
afterEach(async () => {
  await admin.query('UPDATE cron.job SET active = false WHERE active');
});

afterAll(async () => {
  await admin.query('SELECT cron.unschedule(jobid) FROM cron.job');
  await endRuns(admin);
  for (const database of databases) await dropDatabase(site.cluster, database);
  await admin.end();
});

describe('a copy of a work database', () => {
  let settings: Settings;
  let jobs: readonly string[];

  beforeAll(async () => {
    const copy = named('copy');
    jobs = await jobsOf(site.database);
    await copyDatabase(site.cluster, site.database, copy, site.migrator.name);
    settings = site.settings({ DB_NAME: copy });
  });

  it('is named by every command, which then does nothing', async () => {
    const sentence = `Database "${settings.work.database}" was deployed as "${site.database}" and is a copy: the original is still there.`;
    expect(await found(settings)).toMatchObject({ kind: 'copied', original: site.database });
    expect(await readStatus(settings)).toMatchObject({
      whereabouts: { kind: 'copied' },
      upToDate: false,
    });
    expect(await verify(settings)).toMatchObject({ whereabouts: { kind: 'copied' }, clean: false });
    for (const act of [
      () => sync(settings, quietly),
      () =>
        changeMode(settings, {
          ...quietly,
          mode: 'cross',
          confirm: async () => true,
          drainSeconds: 5,
        }),
      () =>
        down(settings, {
          ...quietly,
          streams: ['cron', 'work'],
          extent: { all: true },
          confirm: async () => true,
          drainSeconds: 5,
        }),
    ]) {
      await expect(act()).rejects.toThrow(MovedDatabaseError);
      await expect(act()).rejects.toThrow(sentence);
    }
    const env = { ...site.environment(), DB_NAME: settings.work.database };
    for (const command of [['enable'], ['disable'], ['run'], ['set', '--parallel', '2']]) {
      const { code, stderr } = await cli(['processor', ...command], { env });
      expect(code).toBe(1);
      expect(stderr).toContain(sentence);
      expect(stderr).toContain('Remedy: Put it right with: pcache-migrate adopt');
    }
    const refused = deploy(settings);
    await expect(refused).rejects.toThrow(PreflightError);
    const { failed } = await refused.catch((error) => error);
    expect(failed.map(({ id }: { id: string }) => id)).toEqual(['database-identity']);
    expect(failed[0].detail).toContain(sentence);
    expect(failed[0].remedy.lines[0]).toContain('pcache-migrate adopt');
  });

  it('exports its default processor as such, whatever it is still called', async () => {
    const { processors } = await exportSettings(settings);
    expect(processors.map(({ name, isDefault }) => ({ name, isDefault }))).toEqual([
      { name: defaultJobName(original), isDefault: true },
    ]);
  });

  it('is left as it is by a dry run, which says what will be done', async () => {
    const dump = await dumpDatabase(site.cluster, settings.work.database);
    const report = await adopt(settings, { ...quietly, dryRun: true, confirm: async () => true });
    expect(report.steps.map(({ what }) => what.replace(/[0-9]+ mig/, 'n mig'))).toEqual([
      expect.stringMatching(
        /^apply n migrations of the cron stream in schema "partitioncache_copy/,
      ),
      expect.stringContaining(`not "${site.database}"`),
      expect.stringContaining('schedule the jobs'),
    ]);
    expect(report.left).toEqual([expect.stringContaining(`those of database "${site.database}"`)]);
    expect(await dumpDatabase(site.cluster, settings.work.database)).toBe(dump);
  });

  it('gets jobs of its own, and the original keeps its', async () => {
    await adoptAll(settings, site.cluster);
    const again = await adopt(settings, { ...quietly, dryRun: false, confirm: async () => false });
    expect(again.steps).toEqual([]);
    expect(await jobsOf(site.database)).toEqual(jobs);
    const { rows } = await withClient(settings.work, (work) =>
      work.query(`SELECT job_name, target_database FROM ${tablesOf(settings).processorConfig}`),
    );
    expect(rows).toEqual([
      { job_name: defaultJobName(settings), target_database: settings.work.database },
    ]);
  });

  itOnce('can be rolled back like any other', async () => {
    const copy = named('copy');
    await copyDatabase(site.cluster, site.database, copy, site.migrator.name);
    const other = site.settings({ DB_NAME: copy });
    await adopt(other, { ...quietly, dryRun: false, confirm: async () => true });
    const report = await down(other, {
      ...quietly,
      streams: ['cron', 'work'],
      extent: { lastRelease: true },
      confirm: async () => true,
      drainSeconds: 30,
    });
    expect(report).toMatchObject({ left: 0, undone: [1] });
    expect(await jobsOf(copy)).toEqual([]);
    expect(await jobsOf(site.database)).toEqual(jobs);
  });

  it('does not reach the jobs of the original over a copied link', async () => {
    const linked = await createSite({ cluster: site.cluster, link: true });
    const from = linked.settings();
    await setUp(from, { parallel: 1, enable: true });
    const copy = named('copy');
    // Before the site, whose roles own it.
    onTestFinished(() => dropDatabase(site.cluster, copy));
    await copyDatabase(site.cluster, linked.database, copy, linked.migrator.name);
    const before = await jobsOf(linked.database);
    const to = linked.settings({ DB_NAME: copy });
    const work = await connectAs(to.work);
    const { processorConfig } = tablesOf(to);
    await expect(work.query(`UPDATE ${processorConfig} SET max_parallel_jobs = 3`)).rejects.toThrow(
      `database "${copy}" was deployed as "${linked.database}"`,
    );
    // Stopping is never refused.
    await work.query(`DELETE FROM ${processorConfig}`);
    expect(await jobsOf(linked.database)).toEqual(before);
    await work.end();
  });
});

describe('a dump of a work database', () => {
  it('without owners and privileges, by the migrator', async () => {
    const restored = named('restored');
    const options = ['--no-owner', '--no-privileges'];
    const dump = await dumpDatabase(site.cluster, site.database, options);
    const roles = { owner: site.migrator, as: site.migrator };
    await restoreDatabase(site.cluster, restored, dump, roles);
    const settings = site.settings({ DB_NAME: restored });
    const production = await jobsOf(site.database);
    const { restored: put, unreadable } = await adoptAll(settings, site.cluster);
    // Tables that fragments read are the users' own: what is queued waits for who may grant.
    const lines = [`GRANT SELECT ON "public"."pois" TO "${site.fragmentRole}";`];
    expect(unreadable).toEqual({ role: site.fragmentRole, lines });
    expect(await readStatus(settings)).toMatchObject({ holds: [{ holder: 'pause' }] });
    await asAdmin(site.cluster, lines, restored);
    expect(await resume(settings)).toEqual({ resumed: true, holds: [] });
    expect(put.length).toBeGreaterThan(20);
    expect(await jobsOf(site.database)).toEqual(production);
    expect(failures(await runDoctor(settings, { streams: ['work', 'cron'] }))).toEqual([]);
  });

  itOnce('without owners, by a superuser', async () => {
    const restored = named('restored');
    const options = ['--no-owner', '--no-privileges'];
    const dump = await dumpDatabase(site.cluster, site.database, options);
    await restoreDatabase(site.cluster, restored, dump, { owner: site.migrator });
    await asAdmin(
      site.cluster,
      [
        `GRANT SELECT ON pois TO ${site.fragmentRole}`,
        // As a client may have made it, named like ours: whoever calls it would be the migrator.
        "CREATE FUNCTION public.partitioncache_evil() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text'",
      ],
      restored,
    );
    const settings = site.settings({ DB_NAME: restored });
    for (const command of [
      'up',
      'status',
      'history',
      'verify',
      'verify --fix --yes',
      'sync',
      'down --yes',
      'down --all --yes',
      'mode cross --yes',
      'export',
      'setup',
      'pause',
      'resume',
      'doctor',
      'plan',
      'processor status',
      'processor disable',
    ]) {
      const world = fakeWorld({ env: site.environment({ DB_NAME: restored }) });
      const code = await runCli(command.split(' '), world);
      const said = world.stdout.text + world.stderr.text;
      expect(code, command).not.toBe(0);
      expect(said, command).toContain('pcache-migrate adopt');
      expect(said, command).toContain('belongs to role "postgres"');
      expect(said, command).not.toMatch(/GRANT ALL|DB_USER|PCACHE_SCHEMA|verify --fix|psql/);
    }
    const refused = adopt(settings, { ...quietly, dryRun: false, confirm: async () => true });
    await expect(refused).rejects.toThrow(OwnersLostError);
    const { lines, remedy } = await refused.catch((error) => error);
    expect(remedy).toContain(`ALTER SCHEMA partitioncache OWNER TO ${site.migrator.name};`);
    await asAdmin(site.cluster, ['BEGIN', ...lines, 'ROLLBACK'], restored);
    const helped = site.settings({
      DB_NAME: restored,
      PG_ADMIN_USER: site.cluster.adminUser,
      PG_ADMIN_PASSWORD: site.cluster.adminPassword,
    });
    const { adminUser: user, adminPassword: password } = site.cluster;
    const holder = await connectAs({ ...settings.work, user, password });
    await holder.query(`BEGIN; SELECT FROM ${tablesOf(settings).fragmentQueue}`);
    const said: string[] = [];
    const log = (message: string) => {
      said.push(message);
      if (said.length === 1) void holder.query('COMMIT');
    };
    const yes = { dryRun: false, confirm: async () => true };
    const report = await adopt(helped, { ...quietly, log, ...yes });
    await holder.end();
    expect(said[0]).toMatch(/No lock in attempt 1 of \d+.*The lock is held by/s);
    expect(report.administrator).toEqual(expect.arrayContaining(lines));
    expect(report.steps[0]?.what).toContain(`give ${lines.length} objects back to role`);
    await enable(settings);
    await sync(settings, quietly);
    const { rowCount } = await withClient(settings.work, (work) =>
      work.query(
        `SELECT FROM pg_class WHERE relowner <> current_user::regrole AND
           (relnamespace = 'partitioncache'::regnamespace OR relname LIKE 'my_cache%')`,
      ),
    );
    expect(rowCount).toBe(0);
    const { rows: evil } = await withClient(settings.work, (work) =>
      work.query(
        "SELECT FROM pg_proc WHERE proname = 'partitioncache_evil' AND proowner = current_user::regrole",
      ),
    );
    expect(evil).toEqual([]);
    const run = async (line: string) => {
      const world = fakeWorld({ env: site.environment({ DB_NAME: restored }) });
      const code = await runCli(line.split(' '), world);
      return { code, said: world.stdout.text + world.stderr.text };
    };
    const line = 'FUNCTION public.partitioncache_evil()';
    for (const command of ['doctor', 'verify']) {
      const { said } = await run(command);
      expect(said, command).toContain(
        'Everybody may call it, and acts as the superuser "postgres" in it',
      );
      expect(said, command).toContain(`ALTER ${line} SECURITY INVOKER;`);
      expect(said, command).toContain(`DROP ${line};`);
    }
    expect(await run('verify')).toMatchObject({ code: 3 });
    expect(await run('status')).toMatchObject({ code: 3 });
    await asAdmin(site.cluster, [`ALTER ${line} SECURITY INVOKER`], restored);
    await expectInPlace(settings, site.cluster);
    expect(await run('status')).toMatchObject({ code: 0 });
  });

  itOnce('in the place of the database it was made of', async () => {
    const name = named('again');
    await copyDatabase(site.cluster, site.database, name, site.migrator.name);
    const settings = site.settings({ DB_NAME: name });
    await adopt(settings, { ...quietly, dryRun: false, confirm: async () => true });
    const dump = await dumpDatabase(site.cluster, name);
    await dropDatabase(site.cluster, name);
    await restoreDatabase(site.cluster, name, dump, { owner: site.migrator });
    expect(await found(settings)).toMatchObject({ kind: 'restored', origin: { database: name } });
    await adoptAll(settings, site.cluster);
  });

  itOnce('under another name, when the original is gone', async () => {
    const gone = named('gone');
    await copyDatabase(site.cluster, site.database, gone, site.migrator.name);
    const former = site.settings({ DB_NAME: gone });
    await adopt(former, { ...quietly, dryRun: false, confirm: async () => true });
    const dump = await dumpDatabase(site.cluster, gone);
    await dropDatabase(site.cluster, gone);
    const restored = named('restored');
    await restoreDatabase(site.cluster, restored, dump, { owner: site.migrator });
    const settings = site.settings({ DB_NAME: restored });
    expect(await found(settings)).toMatchObject({ kind: 'restored', origin: { database: gone } });
    const { removed } = await adoptAll(settings, site.cluster);
    expect(removed).toMatchObject([{ workDatabase: gone, schema: former.cronSchema }]);
    expect(await jobsOf(gone)).toEqual([]);
  });
});

describe('a renamed work database', () => {
  it('takes its jobs along', async () => {
    const before = named('before');
    const after = named('after');
    await copyDatabase(site.cluster, site.database, before, site.migrator.name);
    const former = site.settings({ DB_NAME: before });
    await adopt(former, { ...quietly, dryRun: false, confirm: async () => true });
    await renameDatabase(site.cluster, before, after);
    for (const command of ['status', 'up', 'doctor']) {
      const { code, stdout, stderr } = await cli([command], {
        env: { ...site.environment(), DB_NAME: before },
      });
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain(`DB_NAME=${after}`);
      expect(stdout + stderr).toContain('pcache-migrate adopt');
      expect(stdout + stderr).not.toContain('CREATE DATABASE');
    }
    const settings = site.settings({ DB_NAME: after });
    expect(await found(settings)).toMatchObject({ kind: 'renamed', origin: { database: before } });
    const { removed } = await adoptAll(settings, site.cluster);
    expect(removed.map(({ jobs }) => jobs)).toEqual([
      ['dispatch', 'history', 'maintenance'].map((role) => `partitioncache_${before}_${role}`),
    ]);
    expect(await jobsOf(before)).toEqual([]);
    const { rowCount } = await admin.query('SELECT FROM pg_namespace WHERE nspname = $1', [
      former.cronSchema,
    ]);
    expect(rowCount).toBe(0);
  });

  itOnce('is adopted at last, wherever the connection was lost before', async () => {
    const before = named('before');
    const after = named('after');
    await copyDatabase(site.cluster, site.database, before, site.migrator.name);
    const former = site.settings({ DB_NAME: before });
    await adopt(former, { ...quietly, dryRun: false, confirm: async () => true });
    await renameDatabase(site.cluster, before, after);
    const settings = site.settings({ DB_NAME: after });
    await enable(settings);
    let failures = 0;
    // Each call does what the one before did not come to.
    for (const statements of [1, 4, 12, 35, 90, 130]) {
      const lost = await withConnectionLost((arm) =>
        adopt(settings, {
          ...quietly,
          dryRun: false,
          confirm: async () => {
            arm(statements);
            return true;
          },
        }),
      );
      if (!lost) break;
      failures += 1;
    }
    expect(failures).toBeGreaterThan(3);
    await adopt(settings, { ...quietly, dryRun: false, confirm: async () => true });
    await expectInPlace(settings, site.cluster);
    expect(await jobsOf(before)).toEqual([]);
  });

  itOnce('leaves the jobs of its old name where another database has that now', async () => {
    const before = named('before');
    const after = named('after');
    await copyDatabase(site.cluster, site.database, before, site.migrator.name);
    const former = site.settings({ DB_NAME: before });
    await adopt(former, { ...quietly, dryRun: false, confirm: async () => true });
    await renameDatabase(site.cluster, before, after);
    await copyDatabase(site.cluster, after, before, site.migrator.name);
    const jobs = await jobsOf(before);
    const settings = site.settings({ DB_NAME: after });
    const { left } = await adoptAll(settings, site.cluster);
    expect(left).toEqual([expect.stringContaining(`those of database "${before}"`)]);
    expect(await jobsOf(before)).toEqual(jobs);
    // The newcomer is a copy of a database that has another name by now.
    expect(await found(former)).toMatchObject({ kind: 'copied', original: after });
    // As when a backup is restored under the name of a broken database that was renamed out of the way.
    const theirs = await jobsOf(after);
    await adoptAll(former, site.cluster);
    expect(await jobsOf(after)).toEqual(theirs);
  });
});

describe('a work database whose record is deleted', () => {
  itOnce('is left alone until verify --fix has put the record back', async () => {
    const work = await connectAs(original.work);
    await work.query('DELETE FROM partitioncache.deployment');
    const run = async (command: string) => {
      const world = fakeWorld({ env: site.environment() });
      const code = await runCli(command.split(' '), world);
      return { code, said: world.stdout.text + world.stderr.text };
    };
    const { rows: before } = await admin.query('SELECT * FROM cron.job ORDER BY jobid');
    for (const command of ['status', 'sync', 'down --all --yes', 'adopt --yes']) {
      const { code, said } = await run(command);
      expect(code, command).not.toBe(0);
      expect(said, command).toContain('partitioncache.deployment has no row');
      expect(said, command).toContain('pcache-migrate verify --fix');
      expect(said, command).not.toContain('pcache-migrate sync');
    }
    expect((await admin.query('SELECT * FROM cron.job ORDER BY jobid')).rows).toEqual(before);
    expect(await run('verify --fix --yes')).toMatchObject({ code: 0 });
    expect(await found(original)).toMatchObject({ kind: 'same' });
    expect(await run('sync')).toMatchObject({ code: 0 });
    await work.end();
  });
});

describe('what a dropped work database left behind', () => {
  it('is named by the status of others, and pruned', async () => {
    const dropped = named('dropped');
    await copyDatabase(site.cluster, site.database, dropped, site.migrator.name);
    const settings = site.settings({ DB_NAME: dropped });
    await adopt(settings, { ...quietly, dryRun: false, confirm: async () => true });
    const cronRole = await connectAs(original.cron);
    // Of the same role, in the same database, and not ours.
    await cronRole.query("SELECT cron.schedule_in_database('vacuum', '0 3 * * *', 'VACUUM', $1)", [
      dropped,
    ]);
    await dropDatabase(site.cluster, dropped);
    // A run that pg_cron still remembers.
    await admin.query(
      `INSERT INTO cron.job_run_details (jobid, runid, database, username, command, status)
       VALUES (0, -1, $1, $2, 'CALL partitioncache.run_maintenance()', 'failed')`,
      [dropped, original.cron.user],
    );
    const kept = await jobsOf(site.database);
    expect(await readStatus(original)).toMatchObject({ leftBehind: [dropped] });

    const options = { ...quietly, confirm: async () => true };
    const found = await prune(settings, { ...options, dryRun: true });
    expect(found.dropped).toMatchObject([
      {
        workDatabase: dropped,
        schemas: [{ schema: settings.cronSchema }],
        jobs: ['dispatch', 'history', 'maintenance'].map((role) => ({
          jobName: `partitioncache_${dropped}_${role}`,
        })),
      },
    ]);
    expect(found.dropped[0]?.runs).toBeGreaterThan(0);
    expect((await prune(settings, { ...options, dryRun: false })).dropped).toHaveLength(1);
    expect((await prune(settings, { ...options, dryRun: true })).dropped).toEqual([]);
    expect((await readStatus(original)).leftBehind).toEqual([]);
    expect((await jobsOf(dropped)).map((job) => job.replace(/^\d+ /, ''))).toEqual(['vacuum']);
    const { rowCount } = await admin.query('SELECT FROM cron.job_run_details WHERE database = $1', [
      dropped,
    ]);
    expect(rowCount).toBe(0);
    expect(await jobsOf(site.database)).toEqual(kept);
    await cronRole.query("SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = 'vacuum'");
    await cronRole.end();
  });
});

describe('a work database on another server', () => {
  it('is adopted there, with the jobs that were restored with pg_cron', async () => {
    const cluster = await startOwnCluster();
    await asAdmin(cluster, ['CREATE EXTENSION pg_cron']);
    await copyRoles(site, cluster);
    const dump = await dumpDatabase(site.cluster, site.database);
    await restoreDatabase(cluster, site.database, dump, { owner: site.migrator });
    const { cronSchema } = original;
    const cronSide = await dumpDatabase(site.cluster, 'postgres', [`--schema=${cronSchema}`]);
    // As a dump of pg_cron has them: with the port of the server that they were made on.
    await asAdmin(cluster, [
      cronSide,
      'SET search_path = pg_catalog',
      `INSERT INTO cron.job (schedule, command, nodeport, database, username, jobname)
       VALUES ('* * * * *', 'CALL partitioncache.run_maintenance()', 1, '${site.database}',
               '${site.cronRole.name}', 'partitioncache_${site.database}_maintenance')`,
    ]);
    const settings = site.settings({
      DB_HOST: cluster.host,
      DB_PORT: String(cluster.port),
      PCACHE_LINK_PORT: String(cluster.serverPort),
    });
    expect(await found(settings)).toMatchObject({ kind: 'on another server' });
    await expect(sync(settings, quietly)).rejects.toThrow(MovedDatabaseError);
    await adoptAll(settings, cluster);
    const there = await adminClient('postgres', cluster);
    const { rows } = await there.query(
      "SELECT DISTINCT nodeport = current_setting('port')::integer AS here FROM cron.job",
    );
    expect(rows).toEqual([{ here: true }]);
    await there.end();
    if (cluster.location.kind === 'local') {
      // In a cluster that was restored as a whole, nothing but the link still leads to the old one.
      await asAdmin(cluster, ['CREATE EXTENSION dblink'], site.database);
      const work = await connectAs(settings.work);
      await work.query('BEGIN');
      await work.query(
        "INSERT INTO partitioncache.cron_link VALUES ('127.0.0.1', $1, $2, $3, $4)",
        [
          String(site.cluster.port),
          original.cron.database,
          site.cronRole.name,
          site.cronRole.password,
        ],
      );
      await expect(
        work.query(`SELECT partitioncache.query_cron_link('SELECT to_jsonb(1)')`),
      ).rejects.toThrow('it leads to another server');
      await work.query('ROLLBACK');
      await work.end();
    }
    // The two servers must not be mixed.
    await expect(sync({ ...settings, cron: original.cron }, quietly)).rejects.toMatchObject({
      name: 'TwoServersError',
    });
  });
});

describe('a copy of the whole server', () => {
  it.skipIf(inject('runtime').kind !== 'local')(
    'restored to a point in time, runs none of the jobs of production',
    async () => {
      const app = await connectAs(original.client);
      const now = async () =>
        (await admin.query('SELECT clock_timestamp()::text AS now')).rows[0].now;
      const copy = await startPointInTime(cluster, async () => {
        await enqueue(app, original, [fragment('in time')]);
        const time = await now();
        await enqueue(app, original, [fragment('too late')]);
        return time;
      });
      const production = await jobsOf(site.database);
      const settings = site.settings({ DB_PORT: String(copy.address.port) });
      const there = await adminClient('postgres', copy.address);
      try {
        await waitFor(
          'the end of recovery',
          async () =>
            (await there.query('SELECT pg_is_in_recovery() AS recovering')).rows[0].recovering,
          { deadlineMs: 20_000, until: (recovering) => recovering === false },
        );
        // Name, oid and system identifier are those of production; the jobs would be run there, by its port.
        expect(await found(settings)).toMatchObject({ kind: 'same' });
        const { drift, upToDate } = await readStatus(settings);
        expect(upToDate).toBe(false);
        expect(drift.map(({ problem, actual }) => [problem, actual])).toEqual(
          production.map(() => [
            'altered',
            expect.stringContaining('(of a server with another port)'),
          ]),
        );
        const once = { ...quietly, confirm: async () => true };
        const { steps } = await adopt(settings, { ...once, dryRun: true });
        expect(steps[0]?.what).toMatch(/^make \d+ jobs again, which came with a copy of another/);
        await adopt(settings, { ...once, dryRun: false });
        expect((await verify(settings)).clean).toBe(true);
        expect(await readStatus(settings)).toMatchObject({ drift: [], upToDate: true });
        const { rows } = await there.query(
          "SELECT DISTINCT nodeport = current_setting('port')::integer AS here FROM cron.job WHERE database = $1",
          [site.database],
        );
        expect(rows).toEqual([{ here: true }]);
        const { rows: queued } = await withClient(settings.work, (work) =>
          work.query(`SELECT hash FROM ${tablesOf(settings).fragmentQueue} ORDER BY id`),
        );
        expect(queued.map(({ hash }) => hash)).toEqual(['queued', 'in time']);
        expect(await jobsOf(site.database)).toEqual(production);
      } finally {
        await there.end();
        await copy.stop();
      }
      await app.query(
        `DELETE FROM ${tablesOf(original).fragmentQueue} WHERE hash IN ('in time', 'too late')`,
      );
      await app.end();
    },
  );
});

describe('what was queued', () => {
  itOnce(
    'is worked off by the jobs of pg_cron, wherever it was adopted',
    async () => {
      expect(adopted.length).toBeGreaterThan(6);
      await admin.query('UPDATE cron.job SET active = true');
      for (const { settings, cluster } of adopted) {
        const { queries, fragmentQueue } = tablesOf(settings);
        const work = await connectAs(settings.work);
        await waitFor(
          `the queue of ${settings.work.database}`,
          async () =>
            (await work.query(`SELECT query_hash, status FROM ${queries} ORDER BY query_hash`))
              .rows,
          { deadlineMs: 130_000, until: (rows) => rows.length === 2 },
        ).then((rows) =>
          expect(rows).toEqual([
            { query_hash: 'cached', status: 'ok' },
            { query_hash: 'queued', status: 'ok' },
          ]),
        );
        expect((await work.query(`SELECT FROM ${fragmentQueue}`)).rowCount).toBe(0);
        await work.end();
        const there = await adminClient('postgres', cluster);
        // A run that did the work may have been ended with its database, and counts as failed.
        await waitFor(
          `a run in ${settings.work.database}`,
          async () => {
            const { rowCount } = await there.query(
              `SELECT FROM cron.job_run_details JOIN cron.job USING (jobid)
                WHERE job.database = $1 AND job.command LIKE '%run_processor%' AND status IN ('running', 'succeeded')`,
              [settings.work.database],
            );
            return rowCount !== 0;
          },
          { deadlineMs: 30_000 },
        );
        await there.end();
      }
    },
    150_000,
  );
});
