import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FleetDeployment, type FleetReport, readFleet } from '../../src/operations/fleet.js';
import { pause } from '../../src/operations/pause.js';
import { prune } from '../../src/operations/prune.js';
import type { Settings } from '../../src/settings/settings.js';
import { type BuiltCli, buildCli } from '../harness/built-cli.js';
import { adminClient, createDatabase, dropDatabase } from '../harness/databases.js';
import {
  connectAs,
  createSite,
  deploy,
  enqueue,
  setUp,
  setUpWithoutJobs,
  type TestSite,
} from '../harness/deployment.js';
import { startShell } from '../harness/shell.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

// One cron role with deployments in six databases: at work, paused, broken, unreachable, dropped, renamed away.
let site: TestSite;
let neighbour: TestSite;
let admin: pg.Client;
const databases: string[] = [];
const all: Record<'busy' | 'paused' | 'broken' | 'closed' | 'dropped', Settings> = {} as never;

const fragment = (hash: string, query = 'SELECT zipcode FROM pois') => ({
  hash,
  key: 'zipcode',
  datatype: 'integer',
  query,
});

async function another(prefix: string): Promise<Settings> {
  const database = await createDatabase(prefix, { owner: site.migrator.name });
  databases.push(database);
  const client = await adminClient(database);
  for (const role of [site.migrator.name, site.app.name]) {
    await client.query(`GRANT USAGE, CREATE ON SCHEMA public TO ${role}`);
  }
  await client.end();
  return site.settings({ DB_NAME: database });
}

function of(report: FleetReport, { work }: Settings): FleetDeployment {
  const found = report.deployments.find(({ database }) => database === work.database);
  if (found === undefined) throw new Error(`${work.database} is missing`);
  return found;
}

async function queueIn(settings: Settings, hashes: readonly string[]): Promise<void> {
  const app = await connectAs(settings.client);
  await enqueue(
    app,
    settings,
    hashes.map((hash) => fragment(hash)),
  );
  await app.end();
}

beforeAll(async () => {
  site = await createSite();
  neighbour = await createSite();
  admin = await adminClient('postgres');
  all.busy = site.settings({ PCACHE_RELEASE_NOTE: 'build 7' });
  await setUp(all.busy, { parallel: 2, frequencySeconds: 1, label: 'build 7' });
  for (const name of ['paused', 'broken', 'closed', 'dropped'] as const) {
    all[name] = await another(name);
    await setUpWithoutJobs(all[name]);
  }
  await deploy(neighbour.settings());
  await queueIn(all.paused, ['a', 'b', 'c']);
  await pause(all.paused, { reason: 'a test', now: false, waitSeconds: 1 });
  const broken = await adminClient(all.broken.work.database);
  await broken.query('DROP VIEW partitioncache.queue_depth');
  await broken.end();
  await admin.query(`ALTER DATABASE ${all.closed.work.database} ALLOW_CONNECTIONS false`);
  await dropDatabase(all.dropped.work.database);
});

afterAll(async () => {
  await admin.query(
    `SELECT cron.unschedule(jobid) FROM cron.job WHERE username = '${site.cronRole.name}'`,
  );
  for (const database of databases) await dropDatabase(database);
  await admin.end();
});

describe('all deployments of a cron role', () => {
  it('are shown with version, release, mode, and what is in order', async () => {
    const report = await readFleet(all.busy);
    expect(report).toMatchObject({ cronDatabase: 'postgres', cronRole: site.cronRole.name });
    expect(report.deployments.map(({ database }) => database)).toEqual(
      [all.busy, all.paused, all.broken, all.closed].map(({ work }) => work.database).sort(),
    );
    expect(of(report, all.busy)).toMatchObject({
      schema: 'partitioncache',
      mode: 'cross',
      packageVersion: '0.1.0',
      release: { number: 1, label: 'build 7', outcome: 'done' },
      holds: [],
      drift: [],
      runs: { jobs: 5 },
      unknown: [],
    });
  });

  it('show what waits in a paused one', async () => {
    const found = of(await readFleet(all.busy), all.paused);
    expect(found).toMatchObject({
      holds: [{ holder: 'pause', reason: 'a test' }],
      queue: { queued: 3, waiting: 0, oldestSeconds: expect.any(Number) },
      perMinute: 0,
      results: { failedLastHour: 0 },
      placesHeld: 0,
      unknown: [],
    });
    expect(found.results?.lastSuccess).toBeUndefined();
  });

  it('show places, rate, successes and failures of one at work', async () => {
    const app = await connectAs(all.busy.client);
    await enqueue(app, all.busy, [fragment('good'), fragment('bad', 'SELECT 1 / 0 FROM pois')]);
    await app.end();
    // pg_cron 1.4 starts at the full minute.
    const seen = { held: false };
    await waitFor(
      'the results of both fragments, and a place held',
      async () => {
        const { results, perMinute, queue, placesHeld } = of(await readFleet(all.busy), all.busy);
        seen.held ||= (placesHeld ?? 0) > 0;
        return { ...seen, ...results, perMinute, queued: queue?.queued };
      },
      {
        deadlineMs: 150_000,
        until: ({ held, failedLastHour, lastSuccess, perMinute, queued }) =>
          held && failedLastHour === 1 && !!lastSuccess && perMinute === 0.4 && queued === 0,
      },
    );
  });

  it('say of a broken one what is unknown and why, and the rest', async () => {
    const found = of(await readFleet(all.busy), all.broken);
    expect(found).toMatchObject({ queue: null, perMinute: 0, holds: [], runs: { jobs: 0 } });
    expect(found.drift).not.toBeNull();
    expect(found.unknown).toEqual([
      { part: 'queue', reason: expect.stringContaining('queue_depth') },
    ]);
  });

  it('say of one that cannot be reached what pg_cron alone knows', async () => {
    const found = of(await readFleet(all.busy), all.closed);
    expect(found).toMatchObject({
      packageVersion: '0.1.0',
      release: null,
      holds: null,
      queue: null,
      perMinute: null,
      results: null,
      drift: null,
      placesHeld: 0,
      runs: { jobs: 0, failedLastHour: 0 },
    });
    expect(found.unknown.map(({ part }) => part)).toEqual([
      'release',
      'holds',
      'queue',
      'perMinute',
      'results',
      'drift',
    ]);
    expect(found.unknown[0]?.reason).toContain(
      `can't connect to database "${all.closed.work.database}"`,
    );
  });

  it('name the jobs that are not as configured', async () => {
    const found = of(await readFleet(all.busy), all.paused);
    // The processor was added without telling pg_cron.
    expect(found.drift?.map(({ problem }) => problem)).toEqual(Array(3).fill('missing'));
  });

  it('name what dropped databases left, until prune removes it, and whose cannot be seen', async () => {
    const report = await readFleet(all.busy);
    expect(report.leftBehind).toEqual([all.dropped.work.database]);
    expect(report.unseen).toContain(neighbour.settings().cronSchema);
    const env = site.environment();
    const { stdout, code } = await cli(['fleet'], { env });
    expect(code).toBe(1);
    expect(stdout).toContain(
      `1 dropped database left jobs or schemas behind in database "postgres": ${all.dropped.work.database}. Remove them with: pcache-migrate prune`,
    );
    expect(stdout).toContain(
      `Deployments of other cron roles can't be seen by role "${site.cronRole.name}"`,
    );
    expect(stdout).toMatch(new RegExp(`^${all.closed.work.database} .* unknown `, 'm'));
    await prune(all.busy, {
      dryRun: false,
      confirm: async () => true,
      waitSeconds: 20,
      onWait: () => {},
      log: () => {},
    });
    expect((await readFleet(all.busy)).leftBehind).toEqual([]);
  });

  it('are one JSON document', async () => {
    const { stdout } = await cli(['fleet', '--json'], { env: site.environment() });
    const document = JSON.parse(stdout);
    expect(Object.keys(document).sort()).toEqual(
      ['command', 'ok', 'exitCode', 'cronDatabase', 'cronRole', 'deployments', 'leftBehind']
        .concat(['places', 'renamed', 'unseen'])
        .sort(),
    );
    const keys = ['database', 'schema', 'cronSchema', 'mode', 'packageVersion', 'release', 'holds']
      .concat(['queue', 'perMinute', 'results', 'drift', 'runs', 'placesHeld', 'unknown'])
      .sort();
    for (const found of document.deployments) expect(Object.keys(found).sort()).toEqual(keys);
  });

  it('say that another database has the name of one that was deployed', async () => {
    const settings = await another('replaced');
    await setUpWithoutJobs(settings);
    const { database } = settings.work;
    await dropDatabase(database);
    await admin.query(`CREATE DATABASE ${database}`);
    const found = of(await readFleet(all.busy), settings);
    expect(found.unknown.map(({ reason }) => reason)).toContainEqual(
      expect.stringContaining('another has its name now'),
    );
  });

  it('are of the other role for the other role', async () => {
    const report = await readFleet(neighbour.settings());
    expect(report.deployments.map(({ database }) => database)).toEqual([neighbour.database]);
    expect(report.leftBehind).toEqual([]);
  });

  it('need no connection of the work role, and no work database', async () => {
    const settings = { ...all.busy, work: { ...all.busy.work, password: 'wrong', database: 'no' } };
    expect(of(await readFleet(settings), all.busy).unknown).toEqual([]);
  });

  it('say of a release that the role may not read that it is unknown', async () => {
    const work = await connectAs(all.paused.work);
    const change = (what: string, to: string) =>
      work.query(`${what} SELECT ON partitioncache.last_release ${to} ${site.cronRole.name}`);
    await change('REVOKE', 'FROM');
    try {
      const found = of(await readFleet(all.busy), all.paused);
      expect(found).toMatchObject({ release: null, packageVersion: '0.1.0' });
      expect(found.unknown).toEqual([
        { part: 'release', reason: expect.stringContaining('the role lacks a right there') },
      ]);
    } finally {
      await change('GRANT', 'TO');
      await work.end();
    }
  });
});

describe('--watch', () => {
  let built: BuiltCli;
  const start = (command: string) =>
    startShell(command, {
      cwd: built.folder,
      env: { MAIN: built.main, NODE: process.execPath, TERM: 'xterm', ...site.environment() },
    });

  beforeAll(async () => {
    built = await buildCli();
  });

  afterAll(() => built.remove());

  it('draws the view anew on a terminal, until Ctrl-C', async () => {
    // script gives it a terminal, to which a typed ^C is an interrupt.
    const { child, output, ended } = start(
      'script --quiet --return --command "$NODE $MAIN fleet --watch 1" /dev/null',
    );
    const redraws = () => output.stdout.split('\u001b[H\u001b[J').length - 1;
    await waitFor('three views', async () => redraws() >= 3, { deadlineMs: 60_000 });
    expect(output.stdout).toContain(site.database);
    child.stdin?.write('\u0003');
    expect((await ended).code).toBe(130);
    child.stdin?.end();
  });

  it('is refused where the output is no terminal', async () => {
    const { code, stdout, stderr } = await start('$NODE $MAIN fleet --watch 1 | cat').ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--watch redraws a terminal, and the output is not one.');
  });
});
