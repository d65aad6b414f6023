import { beforeAll, describe, expect, it } from 'vitest';
import { withAdvisoryLock } from '../../src/database/advisory-lock.js';
import { CronMovingError } from '../../src/deployment/cron-move.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import { adopt } from '../../src/operations/adopt.js';
import { changeMode } from '../../src/operations/mode/change-mode.js';
import { beginMove, endMove } from '../../src/operations/mode/under-way.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { connectAs, createSite, setUp, type TestSite } from '../harness/deployment.js';
import { asAdmin as administer, renameDatabase } from '../harness/moved-databases.js';
import { cli, type Ran } from '../unit/cli/fake-world.js';

// A change of mode that stops before the restart. Each test continues where the previous one stopped.
let cluster: ThrowawayCluster;
let site: TestSite;
let work: string;

const asAdmin = (database: string, ...statements: string[]) =>
  administer(cluster, statements, database);

const there = () => ({ PG_CRON_DATABASE: work });
const BACK = { PG_CRON_DATABASE: 'postgres' };

function run(line: string, changes: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return cli(line.split(' '), {
    env: site.environment({
      PCACHE_CRON_TRANSPORT: 'deploy',
      PG_ADMIN_USER: 'postgres',
      PG_ADMIN_PASSWORD: cluster.adminPassword,
      ...changes,
    }),
  });
}

beforeAll(async () => {
  cluster = await startOwnCluster();
  await asAdmin('postgres', 'CREATE EXTENSION pg_cron');
  site = await createSite({ cluster });
  work = site.database;
  await setUp(site.settings(), { parallel: 2, frequencySeconds: 1 });
});

/** What every command says of the way there and back. */
async function isUnderWay(from: string, to: string, changes: NodeJS.ProcessEnv): Promise<void> {
  const { stdout, stderr } = await run('status', changes);
  const said = stdout + stderr;
  const mode = (database: string) => (database === 'postgres' ? 'cross' : 'single');
  const way = `leave database "${from}" for database "${to}" (${mode(to)} mode)`;
  const ways = [...said.matchAll(/deployment's jobs (.*? mode\))/g)].map(([, found]) => found);
  expect(ways.length, said).toBeGreaterThan(0);
  expect(new Set(ways)).toEqual(new Set([way]));
  expect(said).toContain('Held by mode');
  expect(said).toContain(`To go on: set PG_CRON_DATABASE=${to}`);
  expect(said).toContain(`To go back: set PG_CRON_DATABASE=${from}`);
}

describe('with settings for another place, before the way there has begun', () => {
  it('disabling says what has changed and what has not, and nothing else', async () => {
    const { code, stderr } = await run('processor disable', there());
    expect(stderr).toContain('The configuration has changed and running processors follow it');
    expect(stderr).toContain('The cron stream of this deployment is in database "postgres"');
    expect(stderr).not.toContain('Nothing was changed');
    expect(code).toBe(1);
    expect((await run('processor enable', BACK)).code).toBe(0);
  });
});

describe('begun while another command waits for the lock', () => {
  it('is not mixed up with what adopt would do', async () => {
    const settings = site.settings({ PCACHE_CRON_TRANSPORT: 'deploy' });
    const client = await connectAs(settings.work);
    let adopting: Promise<unknown> = Promise.resolve();
    await withAdvisoryLock(
      client,
      streamSites(settings).work.lock,
      { waitSeconds: 0 },
      async () => {
        await new Promise<void>((resolve) => {
          adopting = adopt(settings, {
            dryRun: false,
            confirm: async () => true,
            log: () => {},
            waitSeconds: 20,
            onWait: () => resolve(),
          }).catch((error) => error);
        });
        await beginMove(client, settings, { from: 'postgres', to: work });
      },
    );
    expect(await adopting).toBeInstanceOf(CronMovingError);
    expect(await endMove(client, settings)).toBe(true);
    await client.end();
  });
});

describe('half-way', () => {
  beforeAll(async () => {
    expect(await run('mode single --yes', there())).toMatchObject({ code: 3 });
  });

  it.each(['processor disable', 'processor set --parallel 3', 'processor enable'])(
    '%s is done, and says that nothing is processed until the way is finished',
    async (line) => {
      for (const changes of [there(), BACK]) {
        const { code, stdout, stderr } = await run(line, changes);
        expect(stdout + stderr, stderr).toContain(
          `A change of mode is under way: the cron stream and this deployment's jobs leave database "postgres" for database "${work}"`,
        );
        expect(stdout + stderr).not.toMatch(/Nothing was changed|have not changed/);
        expect(code).toBe(0);
      }
      const [config] = await asAdmin(
        work,
        'SELECT enabled, max_parallel_jobs FROM partitioncache_queue_processor_config',
      );
      expect(config).toEqual({
        enabled: line !== 'processor disable' && line !== 'processor set --parallel 3',
        max_parallel_jobs: line === 'processor disable' ? 2 : 3,
      });
    },
  );

  it.each([null, 'an_earlier_place'])(
    'turned round, and round again, the database that it comes from is named, not %s',
    async (before) => {
      await asAdmin(
        work,
        `UPDATE partitioncache.deployment SET cron_database_before = ${before === null ? 'NULL' : `'${before}'`}`,
      );
      await isUnderWay('postgres', work, there());
      const settings = site.settings({ PCACHE_CRON_TRANSPORT: 'deploy', ...BACK });
      await expect(
        changeMode(settings, {
          mode: 'cross',
          confirm: async () => true,
          drainSeconds: 20,
          waitSeconds: 20,
          onWait: () => {},
          log: () => {},
          onProgress: () => {
            throw new Error('interrupted');
          },
        }),
      ).rejects.toThrow('interrupted');
      await isUnderWay(work, 'postgres', BACK);
      expect(await run('mode single --yes', there())).toMatchObject({ code: 3 });
      await isUnderWay('postgres', work, there());
    },
  );

  it('is gone when it has gone back', async () => {
    const { code, stdout } = await run('mode cross', BACK);
    expect(stdout).toContain('Finished: cross mode');
    expect(code).toBe(0);
    expect((await run('status', BACK)).stdout).not.toContain('under way');
    expect(
      await asAdmin(
        work,
        'SELECT cron_database_next AS next, cron_database_left AS left FROM partitioncache.deployment',
      ),
    ).toEqual([{ next: null, left: null }]);
  });
});

describe('a database that was renamed half-way', () => {
  const renamed = 'renamed_half_way';
  const as = (changes: NodeJS.ProcessEnv) => ({ DB_NAME: renamed, ...changes });

  beforeAll(async () => {
    expect(await run('mode single --yes', there())).toMatchObject({ code: 3 });
    await renameDatabase(cluster, work, renamed);
    return () => renameDatabase(cluster, renamed, work);
  });

  it('is adopted, and then still half-way, between the places as they are called now', async () => {
    const moved = await run('status', as(BACK));
    expect(moved.stdout + moved.stderr).toContain('pcache-migrate adopt');
    const ways = [
      `leave database "postgres" for database "${renamed}" (single mode), and nothing is processed`,
      `To go on: set PG_CRON_DATABASE=${renamed}, then pcache-migrate mode single.`,
      'To go back: set PG_CRON_DATABASE=postgres, then pcache-migrate mode cross.',
    ];
    for (const [line, code] of [
      ['adopt --dry-run', 3],
      ['adopt', 2], // It asks, and there is nobody.
      ['adopt --yes', 0],
    ] as const) {
      const adopted = await run(line, as(BACK));
      for (const way of ways) expect(adopted.stdout + adopted.stderr, line).toContain(way);
      expect(adopted.code, line).toBe(code);
    }
    for (const changes of [as(BACK), as({ PG_CRON_DATABASE: renamed })]) {
      await isUnderWay('postgres', renamed, changes);
      expect((await run('up', changes)).stderr).toContain('A change of mode is under way');
    }
    const { code, stdout } = await run('mode cross', as(BACK));
    expect(stdout).toContain('Finished: cross mode');
    expect(code).toBe(0);
    const jobs = await asAdmin(
      'postgres',
      "SELECT DISTINCT database FROM cron.job WHERE command LIKE 'CALL%'",
    );
    expect(jobs).toEqual([{ database: renamed }]);
    const after = await run('status', as(BACK));
    expect(after.stdout).not.toMatch(/Held by|under way/);
    expect(after.code).toBe(0);
  });
});
