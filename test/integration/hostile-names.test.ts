import { inspect } from 'node:util';
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '../../src/database/connect.js';
import { failures } from '../../src/doctor/check-result.js';
import { runDoctor } from '../../src/doctor/run-doctor.js';
import { configureProcessor } from '../../src/operations/configure-processor.js';
import { down } from '../../src/operations/down.js';
import { readStatus } from '../../src/operations/status.js';
import { sync } from '../../src/operations/sync.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { addProcessor, setProcessor } from '../../src/processor/processor-config.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { startOwnCluster } from '../harness/cluster.js';
import { adminClient, dropDatabase } from '../harness/databases.js';
import { createSite, deploy, enqueue, setUp, type TestSite } from '../harness/deployment.js';
import { dumpSchema } from '../harness/dump-schema.js';
import { distinctNames, impossibleName } from '../harness/hostile-names.js';
import { asAdmin, createHostileSite, type HostileSite } from '../harness/hostile-site.js';
import { pgCronModes } from '../harness/prompt-jobs.js';
import { seededRandom } from '../harness/random.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

// Whatever the names of databases, roles, schemas, processors and partitions are: what the settings accept
// is deployed, run by the real pg_cron, and rolled back without a trace.

const SITES = [
  { layout: 'deploy', backend: 'postgresql_array', administrator: true },
  { layout: 'link', backend: 'postgresql_bit', administrator: true },
  { layout: 'link', backend: 'postgresql_array', administrator: false },
  { layout: 'deploy', backend: 'postgresql_bit', administrator: false },
  { layout: 'single', backend: 'postgresql_array', administrator: false },
] as const;
const NAME_VARIABLES = [
  ...['DB_USER', 'DB_NAME', 'PG_CRON_USER', 'PG_CRON_DATABASE', 'PG_QUEUE_USER', 'PG_ADMIN_USER'],
  ...['PCACHE_CLIENT_SCHEMA', 'PCACHE_SCHEMA', 'PG_QUEUE_TABLE_PREFIX'],
  ...['PG_ARRAY_CACHE_TABLE_PREFIX', 'PG_FRAGMENT_ROLE'],
];
const wait = { waitSeconds: 20, onWait: () => {}, log: () => {} };
// Printed, because a server that hangs gives no other hint.
const { seed } = seededRandom();
const hint = `PCACHE_TEST_SEED=${seed}`;
console.log(`hostile names: ${hint}`);

describe.each(pgCronModes)('with cron.use_background_workers = %s', (backgroundWorkers) => {
  it('any names are deployed, run by pg_cron and rolled back', async () => {
    const random = seededRandom(seed);
    const draw = distinctNames(random);
    const cronDatabase = draw();
    const cluster = await startHostileCluster(cronDatabase, backgroundWorkers);
    const sites: HostileSite[] = [];
    // How pg_cron connects does not matter to what is deployed.
    for (const site of backgroundWorkers === 'on' ? SITES.slice(0, 2) : SITES) {
      sites.push(await createHostileSite({ cluster, cronDatabase, random, draw, ...site }));
    }
    const before = await dumpAll(cluster, sites);
    for (const site of sites) await during('deploying', site, () => deployAndRunByHand(site));
    await runJobsAtOnce(cluster, cronDatabase, async () => {
      for (const site of sites) await during('running', site, () => awaitJobs(site));
    });
    for (const site of sites.slice(0, 1)) {
      await during('keeping', site, () => keepAndTakeBack(site.settings));
    }
    for (const site of sites) await during('rolling back', site, () => takeDown(site.settings));
    expect(await dumpAll(cluster, sites), hint).toEqual(before);
  }, 300_000);
});

it('a name that is impossible is refused by its variable, and nothing is done', async () => {
  const random = seededRandom(seed);
  const site = await createSite();
  // Other test files work in the pg_cron database meanwhile.
  const traces = async () => [
    await dumpSchema(site.cluster, site.database),
    await belongingsOf(site),
  ];
  const before = await traces();
  for (const variable of NAME_VARIABLES) {
    const { name } = impossibleName(random);
    const { code, stderr } = await cli(['setup'], { env: site.environment({ [variable]: name }) });
    expect(code, hint).toBe(2);
    expect(stderr, hint).toMatch(new RegExp(`^.* not usable:\\n  ${variable}: .*"`));
  }
  expect(await traces(), hint).toEqual(before);
});

/** What the site's roles own or have rights on in any database, and their jobs. */
async function belongingsOf({ cluster, migrator, cronRole, app, fragmentRole }: TestSite) {
  const admin = await adminClient('postgres', cluster);
  try {
    const { rows } = await admin.query(
      `SELECT datname::text, classid::regclass::text, objid::bigint, refobjid::regrole::text, deptype::text
         FROM pg_shdepend LEFT JOIN pg_database ON pg_database.oid = dbid
        WHERE refclassid = 'pg_authid'::regclass AND refobjid::regrole::text = ANY ($1)
       UNION ALL
       SELECT database, 'cron.job', jobid, username, command FROM cron.job WHERE username = ANY ($1)
        ORDER BY 1, 2, 3, 4, 5`,
      [[migrator.name, cronRole.name, app.name, fragmentRole]],
    );
    return rows;
  } finally {
    await admin.end();
  }
}

describe("a clients' schema", () => {
  let site: TestSite;

  beforeAll(async () => {
    site = await createSite();
  });

  it.each([
    ['a quote', "o'clock"],
    ['a place to fill in', '100%s'],
    ['a dollar quote', '$$; $body$ $'],
    ['a comment mark', '/* */ -- /*'],
  ])('with %s is deployed to and left as it was', async (_, name) => {
    const schema = pg.escapeIdentifier(name);
    await asAdmin(site.cluster, site.database, [
      `CREATE SCHEMA ${schema}`,
      `GRANT ALL ON SCHEMA ${schema} TO ${site.migrator.name}, ${site.app.name}`,
      `GRANT USAGE ON SCHEMA ${schema} TO ${site.cronRole.name}, ${site.fragmentRole}`,
    ]);
    const before = await dumpSchema(site.cluster, site.database);
    const settings = site.settings({ PCACHE_CLIENT_SCHEMA: name });
    await setUp(settings);
    await takeDown(settings);
    expect(await dumpSchema(site.cluster, site.database)).toEqual(before);
  });
});

it('in a database of another encoding only names of ASCII are accepted', async () => {
  const site = await createSite();
  const database = 'dät latin1';
  await asAdmin(site.cluster, 'postgres', [
    `CREATE DATABASE "${database}" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'
      OWNER ${site.migrator.name}`,
  ]);
  try {
    const report = await runDoctor(site.settings({ DB_NAME: database }), { streams: ['work'] });
    expect(failures(report)).toEqual([
      {
        id: 'work-name-encoding',
        title: 'names and the encoding of the work database',
        status: 'failed',
        detail: `database "${database}" has the encoding LATIN1, in which PostgreSQL does not find "${database}" (DB_NAME)`,
        remedy: {
          kind: 'text',
          by: 'user',
          lines: [expect.stringMatching(/^Give DB_NAME a name of ASCII characters, or use a /)],
        },
      },
    ]);
    const role = await runDoctor(
      site.settings({ DB_NAME: database, PG_FRAGMENT_ROLE: 'fragmänte' }),
      { streams: ['work'] },
    );
    expect(role.checks.find(({ id }) => id === 'work-name-encoding')?.detail).toContain(
      '"fragmänte" (PG_FRAGMENT_ROLE)',
    );
  } finally {
    await dropDatabase(database);
  }
});

it('two schemas whose links PostgreSQL would cut to one name keep two links', async () => {
  const site = await createSite({ link: true });
  const [one, other] = ['', '_cr'].map((end, index) =>
    site.settings({
      PCACHE_SCHEMA: 'a'.repeat(55) + end,
      PG_QUEUE_TABLE_PREFIX: `queue_${index}`,
      PG_ARRAY_CACHE_TABLE_PREFIX: `cache_${index}`,
    }),
  ) as [Settings, Settings];
  await setUp(one);
  await setUp(other);
  await takeDown(other);
  await configureProcessor(one, wait, (work) =>
    setProcessor(work, one, defaultJobName(one), { parallel: 2 }),
  );
  await expectInOrder(one);
});

async function during(what: string, site: HostileSite, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    const { PG_ADMIN_PASSWORD: _, ...shown } = site.environment;
    const names = inspect(shown, { breakLength: 120 });
    throw new Error(`${hint}: ${what} ${names}: ${(cause as Error).stack}`);
  }
}

async function startHostileCluster(
  cronDatabase: string,
  backgroundWorkers: string,
): Promise<ThrowawayCluster> {
  const cluster = await startOwnCluster({
    settings: {
      'cron.use_background_workers': backgroundWorkers,
      'cron.max_running_jobs': '60',
      max_worker_processes: '80',
    },
  });
  await asAdmin(cluster, 'postgres', [
    `CREATE DATABASE ${pg.escapeIdentifier(cronDatabase)} TEMPLATE template0`,
  ]);
  await cluster.restart({ cronDatabase });
  await asAdmin(cluster, cronDatabase, ['CREATE EXTENSION pg_cron']);
  return cluster;
}

async function dumpAll(
  cluster: ThrowawayCluster,
  sites: readonly HostileSite[],
): Promise<Record<string, string>> {
  const databases = new Set(
    sites.flatMap(({ settings }) => [settings.work, settings.cron]).map(({ database }) => database),
  );
  const dumps: Record<string, string> = {};
  for (const database of databases) dumps[database] = await dumpSchema(cluster, database);
  return dumps;
}

async function deployAndRunByHand(site: HostileSite): Promise<void> {
  const { settings, processor } = site;
  await setUp(settings, { parallel: 1, frequencySeconds: 90, enable: false });
  await configureProcessor(settings, wait, (work) =>
    addProcessor(work, settings, processor, { parallel: 1, frequencySeconds: 90 }),
  );
  await enableProcessors(site, true);
  await enqueueOne(site, 'by hand');
  const { outcomes } = await withClient(settings.work, (work) =>
    runProcessor(work, settings, processor, 1),
  );
  expect(outcomes).toEqual({ ok: 1 });
  expect(await cached(site, 'by hand')).toBe(3);
  await expectInOrder(settings);
  await enqueueOne(site, 'by pg_cron');
}

async function expectInOrder(settings: Settings): Promise<void> {
  const report = await runDoctor(settings, { streams: ['work', 'cron'] });
  expect(failures(report)).toEqual([]);
  expect(await readStatus(settings)).toMatchObject({ drift: [], upToDate: true });
  expect((await sync(settings, wait)).jobs).toEqual([]);
}

async function enqueueOne({ settings, key, pois }: HostileSite, hash: string): Promise<void> {
  await withClient(settings.client, async (app) => {
    await searchClientSchema(app, settings);
    const query = `SELECT id AS ${pg.escapeIdentifier(key)} FROM ${pois} WHERE id <= 3`;
    const statuses = await enqueue(app, settings, [{ hash, key, datatype: 'integer', query }]);
    expect(statuses).toEqual(['inserted']);
  });
}

function searchClientSchema(app: pg.Client, { clientSchema }: Settings) {
  return app.query("SELECT set_config('search_path', quote_ident($1), false)", [clientSchema]);
}

/** How many keys are cached; undefined if there is no such set. */
function cached({ settings, key }: HostileSite, hash: string): Promise<number | undefined> {
  const table = [settings.clientSchema, `${settings.tablePrefix}_cache_${key}`]
    .map((part) => pg.escapeIdentifier(part))
    .join('.');
  return withClient(settings.client, async (app) => {
    const { rows } = await app.query(
      `SELECT partition_keys_count AS keys FROM ${table} WHERE query_hash = $1`,
      [hash],
    );
    return rows[0]?.keys;
  });
}

/**
 * pg_cron 1.4 starts a job only at the full minute, but "@reboot" jobs at once. Only copies of the short jobs run
 * meanwhile: with background workers, it enters the end of a run into its history only when earlier ones have ended.
 */
async function runJobsAtOnce(
  cluster: ThrowawayCluster,
  cronDatabase: string,
  use: () => Promise<void>,
): Promise<void> {
  await asAdmin(cluster, cronDatabase, [
    'UPDATE cron.job SET active = false',
    // Every minute as well, for those that a busy machine starts too late.
    `INSERT INTO cron.job (jobname, schedule, command, database, username, nodename, nodeport)
       SELECT jobid || ' ' || moment, moment, command, database, username, nodename, nodeport
         FROM cron.job, unnest(ARRAY['@reboot', '* * * * *']) AS moment
        WHERE strpos(command, '.run_maintenance(') = 0`,
  ]);
  await cluster.restart();
  await use();
  await asAdmin(cluster, cronDatabase, [
    'DELETE FROM cron.job WHERE active',
    'UPDATE cron.job SET active = true',
  ]);
}

async function awaitJobs(site: HostileSite): Promise<void> {
  const { settings } = site;
  await withClient(settings.cron, async (cron) => {
    const { runs } = await waitFor(
      'the fragment that pg_cron runs, and runs that succeed',
      async () => ({ keys: await cached(site, 'by pg_cron'), runs: await runsOf(cron) }),
      {
        deadlineMs: 140_000,
        until: ({ keys, runs }) => keys === 3 && runs.every(({ succeeded }) => succeeded),
      },
    );
    expect(runs).toMatchObject([
      { routine: 'dispatch', succeeded: true, failure: null },
      { routine: 'prune_job_runs', succeeded: true, failure: null },
      { routine: 'run_processor', succeeded: true, failure: null },
      { routine: 'run_processor', succeeded: true, failure: null },
    ]);
  });
}

interface CommandRuns {
  readonly routine: string;
  readonly succeeded: boolean;
  readonly failure: string | null;
  /** For the message of a test that fails. */
  readonly all: readonly string[];
}

/** The runs of each command, but for those of maintenance and what a busy machine or the restart ended. */
async function runsOf(cron: pg.Client): Promise<CommandRuns[]> {
  const { rows } = await cron.query<CommandRuns>(
    `SELECT substring(command FROM '[.]([a-z_]+)[(]') AS routine,
            bool_or(status = 'succeeded') AS succeeded,
            max(return_message) FILTER (
              WHERE status = 'failed'
                AND return_message !~ '^job startup timeout|administrator command') AS failure,
            array_agg(concat_ws(' ', start_time::time, status, return_message) ORDER BY runid) AS "all"
       FROM cron.job_run_details
      WHERE username = current_user AND strpos(command, '.run_maintenance(') = 0
      GROUP BY command ORDER BY routine`,
  );
  return rows;
}

async function enableProcessors({ settings, processor }: HostileSite, enabled: boolean) {
  await configureProcessor(settings, wait, async (work) => {
    for (const name of [processor, defaultJobName(settings)]) {
      await setProcessor(work, settings, name, { enabled });
    }
  });
}

async function takeDown(settings: Settings, dropData = true): Promise<void> {
  await expectInOrder(settings);
  await down(settings, {
    streams: ['work', 'cron'],
    extent: { all: true },
    dropData,
    confirm: async () => true,
    drainSeconds: 30,
    ...wait,
  });
}

async function keepAndTakeBack(settings: Settings): Promise<void> {
  await takeDown(settings, false);
  const { takenBack, stillKept } = await deploy(settings);
  expect(stillKept).toEqual([]);
  expect(takenBack.length).toBeGreaterThan(3);
}
