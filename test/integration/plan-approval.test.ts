import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { withAdvisoryLock } from '../../src/database/advisory-lock.js';
import { withClient } from '../../src/database/connect.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { plan } from '../../src/operations/plan.js';
import type { UpOptions } from '../../src/operations/up-report.js';
import { parsePlanFile, planFile } from '../../src/plan/plan-file.js';
import type { Settings } from '../../src/settings/settings.js';
import { adminClient, createRole } from '../harness/databases.js';
import { connectAs, createSite, deploy, setUp, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { migrationNames } from '../harness/package-migrations.js';
import { cli } from '../unit/cli/fake-world.js';

function upPlan(settings: Settings) {
  return plan(settings, { direction: 'up', streams: ['work', 'cron'] });
}

async function approvedHash(settings: Settings): Promise<UpOptions['approval']> {
  return { kind: 'hash', hash: (await upPlan(settings)).hash };
}

async function approvedFile(settings: Settings): Promise<UpOptions['approval']> {
  return { kind: 'file', ...parsePlanFile(planFile(await upPlan(settings)), 'plan.json') };
}

/** Of the pg_cron database, which other tests change meanwhile, what has to do with the site. */
async function traces(site: TestSite, { cronSchema }: Settings): Promise<unknown[]> {
  const admin = await adminClient('postgres');
  const { rows } = await admin.query(
    `SELECT 'schema' AS what, nspname::text AS name FROM pg_namespace WHERE nspname = $1
     UNION ALL SELECT 'job', jobname FROM cron.job WHERE username = $2
     UNION ALL SELECT 'schedules', $2 WHERE has_schema_privilege($2, 'cron', 'USAGE')
     ORDER BY 1, 2`,
    [cronSchema, site.cronRole.name],
  );
  await admin.end();
  return [await dumpSchema(site.cluster, site.database), ...rows];
}

describe('up, on a plan that was approved', () => {
  it('runs it, and records its hash', async () => {
    const settings = (await createSite()).settings();
    const approval = await approvedFile(settings);
    const report = await deploy(settings, { approval });
    expect(report.planHash).toBe(approval?.hash);
    const work = await connectAs(settings.work);
    const { rows } = await work.query('SELECT plan_hash FROM partitioncache.release');
    expect(rows).toEqual([{ plan_hash: approval?.hash }]);
  });

  it('records the same hash when none was approved', async () => {
    const settings = (await createSite()).settings();
    const { hash } = await upPlan(settings);
    expect((await deploy(settings)).planHash).toBe(hash);
  });

  it('takes the hash of a plan that other credentials and another address made', async () => {
    const site = await createSite();
    const elsewhere = site.settings({
      DB_HOST: 'localhost',
      PG_CRON_HOST: 'localhost',
      PG_ADMIN_USER: site.cluster.adminUser,
      PG_ADMIN_PASSWORD: site.cluster.adminPassword,
      PGSSLMODE: 'disable',
    });
    const approval = await approvedHash(elsewhere);
    expect(await approvedHash(site.settings())).toEqual(approval);
    expect((await deploy(site.settings(), { approval })).planHash).toBe(approval?.hash);
  });
});

it('up takes the hash of a role that may only read', async () => {
  const site = await createSite();
  const reader = await createRole('reader');
  const admin = await adminClient('postgres');
  try {
    await setUp(site.settings(), { parallel: 1, enable: true });
    await admin.query(`GRANT pg_read_all_data TO ${reader.name}`);
    const approval = await approvedFile(
      site.settings({ PG_PLAN_USER: reader.name, PG_PLAN_PASSWORD: reader.password }),
    );
    expect(approval?.hash).toMatch(/-without-jobs$/);
    expect((await deploy(site.settings(), { approval })).jobs).toEqual([]);
  } finally {
    await admin.query(`DROP ROLE ${reader.name}`);
    await admin.end();
  }
});

it('several replicas that start at once on one approved plan all succeed, and one deploys', async () => {
  const settings = (await createSite()).settings();
  const approval = await approvedHash(settings);
  const reports = await Promise.all([1, 2, 3].map(() => deploy(settings, { approval })));
  expect(reports.map(({ release }) => release).sort()).toEqual([1, null, null]);
});

interface Move {
  readonly what: string;
  /** What the message says of it. */
  readonly says: RegExp;
  /** Deployed already when the plan is made? */
  readonly deployed?: boolean;
  readonly move: (site: TestSite, settings: Settings) => Promise<Settings | undefined>;
}

const MOVES: readonly Move[] = [
  {
    what: 'the ledger',
    says: /other migrations are applied: 0001_ledger/,
    move: async (_site, settings) => {
      const [first] = await migrationNames('work');
      await deploy(settings, { streams: ['work'], to: first });
      return undefined;
    },
  },
  {
    what: 'the settings',
    says: /setting table_prefix was "my_cache", and is "other_cache"/,
    move: async (site) => site.settings({ PG_ARRAY_CACHE_TABLE_PREFIX: 'other_cache' }),
  },
  {
    what: 'a definition that would be replaced',
    says: /what would be replaced has changed: public\.partitioncache_array_intersect/,
    move: async (_site, settings) => {
      const work = await connectAs(settings.work);
      await work.query(
        "CREATE FUNCTION public.partitioncache_array_intersect(a anyarray, b anyarray) RETURNS anyarray LANGUAGE sql AS 'SELECT a'",
      );
      return undefined;
    },
  },
  {
    what: "the administrator's statements",
    says: /other statements need an administrator/,
    move: async (site) => {
      const admin = await adminClient('postgres');
      await admin.query(`REVOKE USAGE ON SCHEMA cron FROM ${site.cronRole.name}`);
      await admin.end();
      return site.settings({
        PG_ADMIN_USER: site.cluster.adminUser,
        PG_ADMIN_PASSWORD: site.cluster.adminPassword,
      });
    },
  },
  {
    what: "pg_cron's jobs",
    says: /jobs are others: .*_1/,
    deployed: true,
    move: async (_site, settings) => {
      const cron = await connectAs(settings.cron);
      await cron.query(
        "SELECT cron.unschedule(jobid) FROM cron.job WHERE username = current_user AND jobname LIKE '%\\_1'",
      );
      return undefined;
    },
  },
];

describe.each(MOVES)('when $what moved since', ({ move, says, deployed }) => {
  it('up changes nothing, and says what', async () => {
    const site = await createSite();
    const settings = site.settings();
    if (deployed) await setUp(settings, { parallel: 1, enable: true });
    const approvals = [await approvedHash(settings), await approvedFile(settings)];
    const now = (await move(site, settings)) ?? settings;
    const before = await traces(site, settings);

    const [byHash, byFile] = approvals;
    await expect(deploy(now, { approval: byHash })).rejects.toMatchObject({
      name: 'PlanChangedError',
      exitCode: 5,
      message: expect.stringContaining(`approved: ${byHash?.hash}`),
    });
    await expect(deploy(now, { approval: byFile })).rejects.toMatchObject({
      message: expect.stringMatching(says),
    });
    expect(await traces(site, settings)).toEqual(before);
  });
});

it('up changes nothing when the plan moves while it waits for the lock', async () => {
  const site = await createSite();
  const settings = site.settings();
  const approval = await approvedHash(settings);
  const other = await connectAs(settings.work);
  let running: Promise<unknown> = Promise.resolve();
  await withClient(settings.work, (holder) =>
    withAdvisoryLock(holder, streamSites(settings).work.lock, { waitSeconds: 0 }, async () => {
      const waits = new Promise<void>((resolve) => {
        running = deploy(settings, { approval, onWait: () => resolve() });
        running.catch(() => {});
      });
      await waits;
      await other.query(
        "CREATE FUNCTION public.partitioncache_array_intersect(a anyarray, b anyarray) RETURNS anyarray LANGUAGE sql AS 'SELECT a'",
      );
    }),
  );
  await expect(running).rejects.toMatchObject({
    name: 'PlanChangedError',
    exitCode: 5,
    message: expect.stringContaining('a moment ago'),
  });
  const { rows } = await other.query("SELECT FROM pg_namespace WHERE nspname = 'partitioncache'");
  expect(rows).toEqual([]);
});

describe('on the command line', () => {
  let site: TestSite;
  let folder: string;
  const run = (...argv: string[]) => cli(argv, { env: site.environment(), cwd: folder });

  beforeAll(async () => {
    site = await createSite();
    folder = await mkdtemp(path.join(tmpdir(), 'pcache-plan-'));
    return () => rm(folder, { recursive: true });
  });

  it('a file goes from plan to up; one that was edited, cut or is foreign does not', async () => {
    const planned = await run('plan', '--out', 'plan.json', '--json');
    expect(planned.code).toBe(3);
    const { hash } = JSON.parse(planned.stdout);
    const text = await readFile(path.join(folder, 'plan.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ formatVersion: 1, packageVersion: '0.1.0', hash });
    const spoilt = {
      'edited.json': [text.replace('CREATE TABLE', 'CREATE UNLOGGED TABLE'), 'was changed after'],
      'cut.json': [text.slice(0, text.length / 2), 'is not JSON'],
      'foreign.json': ['{"formatVersion": 1}', 'is not a plan'],
      'later.json': [text.replace('"formatVersion": 1', '"formatVersion": 2'), 'has the format 2'],
      'null.json': ['null', 'is not a plan'],
      'shapeless.json': [
        '{"format":"pcache-migrate plan","formatVersion":1,"plan":null}',
        'was changed after',
      ],
    } as const;
    for (const [file, [content, says]] of Object.entries(spoilt)) {
      await writeFile(path.join(folder, file), content);
      const { code, stderr } = await run('up', '--plan-file', file);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) });
    }
    expect((await run('up', '--plan-file', 'missing.json')).code).toBe(2);
    expect((await run('up', '--plan', hash.slice(0, 40))).code).toBe(2);

    const wrong = await run(
      'up',
      '--plan',
      hash.replace(/.$/, (digit: string) => (digit === '0' ? '1' : '0')),
      '--json',
    );
    expect(wrong.code).toBe(5);
    expect(JSON.parse(wrong.stdout)).toMatchObject({
      command: 'up',
      ok: false,
      exitCode: 5,
      error: { name: 'PlanChangedError' },
    });

    const done = await run('up', '--plan-file', 'plan.json', '--json');
    expect(done.code).toBe(0);
    expect(JSON.parse(done.stdout).planHash).toBe(hash);
    const again = await run('plan');
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing is pending.'),
    });

    // Run again, as by a retry or by a second replica, it is done already; with something else to do, it is not.
    expect((await run('up', '--plan-file', 'plan.json')).code).toBe(0);
    await run('down', '--count', '1');
    expect((await run('up', '--plan-file', 'plan.json')).code).toBe(5);
  });

  it('plan as text sums up, ends with the hash, and has the SQL if asked', async () => {
    const down = await run('plan', '--down');
    expect(down.code).toBe(3);
    expect(down.stdout).toMatch(
      /^Plan of down, pcache-migrate 0\.1\.0\n {2}cron: \d+ migrations to roll back/,
    );
    expect(down.stdout).not.toContain('DROP FUNCTION');
    expect(down.stdout).toMatch(/Hash: sha256:[0-9a-f]{64}(-without-jobs)?\n$/);
    const verbose = await run('plan', '--down', '--verbose');
    expect(verbose.stdout).toContain('DROP FUNCTION "partitioncache".');
  });

  it('plan as Markdown fits a comment, whatever it says, and always has the hash', async () => {
    const fresh = await createSite();
    const ask = (...argv: string[]) =>
      cli(['plan', '--format', 'markdown', ...argv], { env: fresh.environment(), cwd: folder });
    const { hash } = await upPlan(fresh.settings());
    const full = await ask('--max-length', '1000000');
    expect(full.stdout).not.toContain('Left out');
    expect(full.stdout.match(/<details>/g)?.length).toBeGreaterThan(40);
    for (const limit of [5000, 20_000, 65_000]) {
      const { stdout } = await ask('--max-length', String(limit));
      expect(stdout.length).toBeLessThanOrEqual(limit + 1);
      expect(stdout).toContain(`Hash: \`${hash}\``);
      expect(stdout).toContain('Left out for want of room');
      expect(stdout).toContain('pcache-migrate plan --verbose');
    }
    expect((await ask()).stdout.length).toBeLessThan(65_536);
  });
});
