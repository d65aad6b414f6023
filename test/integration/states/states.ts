import { deploymentTables } from '../../../src/deployment/placeholder-values.js';
import { cronGrants } from '../../harness/databases.js';
import { makeForeignSetup } from '../../harness/foreign-setup.js';
import {
  copyDatabase,
  dropDatabase,
  dumpDatabase,
  renameDatabase,
  restoreDatabase,
} from '../../harness/moved-databases.js';
import { migrationBefore } from '../../harness/package-migrations.js';
import { startShell } from '../../harness/shell.js';
import { CRON, launcherRuns, type Stage, WORK } from '../../harness/stage.js';

/** Where the person on duty may find a deployment. */
export interface State {
  /** As a row of the table says it. */
  readonly name: string;
  /** From an empty work database. */
  readonly make: (stage: Stage) => Promise<unknown>;
  /** The commands that put it in order, in their order; `status` then ends with 0. */
  readonly mend: readonly string[];
  /** What people have to do before, where a command cannot. */
  readonly first?: { readonly said: string; readonly act: (stage: Stage) => Promise<unknown> };
  /** Not to be tried in each run: it restarts the server for each command. */
  readonly isSlow?: true;
}

const deployed = (stage: Stage) =>
  stage.mustRun('setup --enable-after-setup --frequency 3600 --parallel 1');

async function after(stage: Stage, ...lines: readonly string[]): Promise<void> {
  await deployed(stage);
  for (const line of lines) await stage.mustRun(line);
}

async function withWork(stage: Stage, ...statements: readonly string[]): Promise<void> {
  await deployed(stage);
  await stage.asAdmin(WORK, ...statements);
}

async function named(stage: Stage, name: string): Promise<void> {
  await renameDatabase(stage.cluster, WORK, name);
  stage.env.DB_NAME = name;
}

async function restored(stage: Stage, name: string, options: readonly string[]): Promise<void> {
  await deployed(stage);
  const dump = await dumpDatabase(stage.cluster, WORK, options);
  if (name === WORK) await dropDatabase(stage.cluster, WORK);
  await restoreDatabase(stage.cluster, name, dump, {
    owner: stage.site.migrator,
    ...(options.length > 0 && { as: stage.site.migrator }),
  });
  stage.env.DB_NAME = name;
}

async function foreign(stage: Stage): Promise<void> {
  const owner = stage.site.migrator.name;
  await makeForeignSetup(stage.cluster, stage.settings(), {
    owner,
    jobsOf: stage.site.cronRole.name,
    copyOwner: stage.site.cronRole.name,
    parallel: 2,
    schedule: '0 0 1 1 *',
  });
}

async function withNewerPackage(stage: Stage, up: string): Promise<void> {
  await deployed(stage);
  const newer = await stage.newerPackage(up);
  const { code, stderr } = await startShell(`${process.execPath} ${newer.main} up`, {
    cwd: newer.folder,
    env: { ...stage.env },
  }).ended;
  if (code !== 0) throw new Error(stderr);
}

async function withoutPreload({ cluster }: Stage): Promise<void> {
  await cluster.restart({ preloadPgCron: false });
}

const FURTHER = 'CREATE TABLE {{schema}}.further ();';

/** In the order in which a deployment may come to them. */
export const states: readonly State[] = [
  { name: 'nothing deployed', make: async () => {}, mend: ['up'] },
  {
    name: 'the work stream half deployed',
    make: async ({ mustRun }) =>
      mustRun(`up --stream work --to ${await migrationBefore('work', 'notify_queue')}`),
    mend: ['up'],
  },
  {
    name: 'the work stream deployed, the cron stream not',
    make: ({ mustRun }) => mustRun('up --stream work'),
    mend: ['up'],
  },
  {
    name: 'the cron stream half deployed',
    make: async ({ mustRun }) => {
      await mustRun('up --stream work');
      await mustRun(`up --stream cron --to ${await migrationBefore('cron', 'drift')}`);
    },
    mend: ['up'],
  },
  { name: 'deployed, without a processor', make: ({ mustRun }) => mustRun('up'), mend: [] },
  { name: 'deployed, cross mode', make: deployed, mend: [] },
  {
    name: 'deployed, cross mode, transport `link`',
    make: async (stage) => {
      await stage.asAdmin(WORK, 'CREATE EXTENSION dblink');
      stage.env.PCACHE_CRON_TRANSPORT = 'link';
      await deployed(stage);
    },
    mend: [],
  },
  {
    name: 'deployed, single mode',
    make: async (stage) => {
      await onlyDatabase(stage);
      await deployed(stage);
    },
    mend: [],
  },
  {
    name: 'the processor disabled',
    make: (stage) => after(stage, 'processor disable'),
    mend: ['processor enable'],
  },
  { name: 'paused', make: (stage) => after(stage, 'pause'), mend: ['resume'] },
  {
    name: 'settings name another transport than is deployed',
    make: async (stage) => {
      await withWork(stage, 'CREATE EXTENSION dblink');
      stage.env.PCACHE_CRON_TRANSPORT = 'link';
    },
    mend: ['up'],
  },
  {
    name: 'settings name another pg_cron database than is deployed',
    make: async (stage) => {
      await deployed(stage);
      stage.env.PG_CRON_DATABASE = WORK;
    },
    mend: [],
    first: {
      said: `\`PG_CRON_DATABASE=${CRON}\`, or the lines that \`mode\` prints`,
      act: async ({ env }) => {
        env.PG_CRON_DATABASE = CRON;
      },
    },
  },
  {
    name: '`mode single` stopped before the restart',
    make: async (stage) => {
      await deployed(stage);
      stage.env.PG_CRON_DATABASE = WORK;
      stage.env.PG_ADMIN_USER = 'postgres';
      stage.env.PG_ADMIN_PASSWORD = stage.cluster.adminPassword;
      await stage.run('mode single --yes');
    },
    mend: ['mode cross'],
    first: {
      said: `\`PG_CRON_DATABASE=${CRON}\`, or the lines that \`mode\` prints`,
      act: async ({ env }) => {
        env.PG_CRON_DATABASE = CRON;
      },
    },
  },
  { name: 'rolled back, rows kept', make: (stage) => after(stage, 'down --all'), mend: ['up'] },
  {
    name: 'the cron stream rolled back alone',
    make: (stage) => after(stage, 'down --stream cron --all'),
    mend: ['up'],
  },
  {
    name: 'the work stream rolled back in part',
    make: async (stage) =>
      after(stage, `down --stream work --to ${await migrationBefore('work', 'notify_queue')}`),
    mend: ['up'],
  },
  {
    name: 'a newer package has deployed',
    make: (stage) => withNewerPackage(stage, FURTHER),
    mend: [],
  },
  {
    name: 'a newer package has deployed, and shuts this one out',
    make: (stage) => withNewerPackage(stage, `--! breaks older packages\n${FURTHER}`),
    mend: ['down --yes'],
  },
  {
    name: 'a function changed by hand',
    make: (stage) =>
      withWork(stage, "ALTER FUNCTION partitioncache.is_held() SET work_mem = '1MB'"),
    mend: ['verify --fix --yes'],
  },
  {
    name: "the clients' queue dropped by hand",
    make: async (stage) =>
      withWork(stage, `DROP TABLE ${deploymentTables(stage.settings()).fragmentQueue} CASCADE`),
    mend: ['verify --fix --yes'],
  },
  {
    name: 'the ledger dropped by hand',
    make: (stage) => withWork(stage, 'DROP TABLE partitioncache.ledger CASCADE'),
    mend: ['verify --record-anew --yes'],
  },
  {
    name: 'a job unscheduled by hand',
    make: async (stage) => {
      await deployed(stage);
      await stage.asAdmin(CRON, 'SELECT cron.unschedule(min(jobid)) FROM cron.job');
    },
    mend: ['sync'],
  },
  {
    name: "the pg_cron database's schema dropped by hand",
    make: async (stage) => {
      await deployed(stage);
      await stage.asAdmin(CRON, `DROP SCHEMA ${stage.settings().cronSchema} CASCADE`);
    },
    mend: ['up'],
  },
  {
    name: 'the extension pg_cron dropped',
    make: async (stage) => {
      await deployed(stage);
      await stage.asAdmin(CRON, 'DROP EXTENSION pg_cron');
    },
    mend: ['sync'],
    first: {
      said: '`CREATE EXTENSION pg_cron`, and the grants that `doctor` prints',
      act: ({ asAdmin, site }) =>
        asAdmin(CRON, 'CREATE EXTENSION pg_cron', ...cronGrants(site.cronRole.name, CRON)),
    },
  },
  {
    name: 'the pg_cron database dropped',
    make: async (stage) => {
      await deployed(stage);
      await dropDatabase(stage.cluster, CRON);
    },
    mend: ['up'],
    first: {
      said: 'the database, the extension and the grants that `doctor` prints',
      act: async ({ asAdmin, site, cluster }) => {
        await asAdmin('postgres', `CREATE DATABASE ${CRON}`);
        await asAdmin(CRON, 'CREATE EXTENSION pg_cron', ...cronGrants(site.cronRole.name, CRON));
        await launcherRuns(cluster);
      },
    },
  },
  {
    name: 'the pg_cron database takes no connections',
    make: async (stage) => {
      await deployed(stage);
      await stage.asAdmin('postgres', `ALTER DATABASE ${CRON} ALLOW_CONNECTIONS false`);
    },
    mend: [],
    first: {
      said: 'let it take connections',
      act: ({ asAdmin }) => asAdmin('postgres', `ALTER DATABASE ${CRON} ALLOW_CONNECTIONS true`),
    },
  },
  {
    name: 'the server started without pg_cron',
    make: async (stage) => {
      await deployed(stage);
      await withoutPreload(stage);
    },
    mend: [],
    first: {
      said: 'the lines of `doctor`, and a restart',
      act: ({ cluster }) => cluster.restart({ preloadPgCron: true }),
    },
    isSlow: true,
  },
  {
    name: "the cron role's password changed",
    make: async (stage) => {
      await deployed(stage);
      await stage.asAdmin('postgres', `ALTER ROLE ${stage.site.cronRole.name} PASSWORD 'other'`);
    },
    mend: ['up'],
    first: {
      said: 'the new `PG_CRON_PASSWORD`',
      act: async ({ env }) => {
        env.PG_CRON_PASSWORD = 'other';
      },
    },
  },
  {
    name: "the migrator's password changed",
    make: async (stage) => {
      await deployed(stage);
      await stage.asAdmin('postgres', `ALTER ROLE ${stage.site.migrator.name} PASSWORD 'other'`);
    },
    mend: [],
    first: {
      said: 'the new `DB_PASSWORD`',
      act: async ({ env }) => {
        env.DB_PASSWORD = 'other';
      },
    },
  },
  {
    name: 'the work database is read-only',
    make: (stage) =>
      withWork(stage, `ALTER DATABASE ${WORK} SET default_transaction_read_only = on`),
    mend: [],
    first: {
      said: 'as the owner: `ALTER DATABASE … RESET default_transaction_read_only`',
      act: ({ asAdmin }) =>
        asAdmin('postgres', `ALTER DATABASE ${WORK} RESET default_transaction_read_only`),
    },
  },
  {
    name: 'the work database renamed',
    make: async (stage) => {
      await deployed(stage);
      await named(stage, `${WORK}_renamed`);
    },
    mend: ['adopt --yes'],
  },
  {
    name: 'a copy, by template',
    make: async (stage) => {
      await deployed(stage);
      await copyDatabase(stage.cluster, WORK, `${WORK}_copy`, stage.site.migrator.name);
      stage.env.DB_NAME = `${WORK}_copy`;
    },
    mend: ['adopt --yes'],
  },
  {
    name: 'restored under its name',
    make: (stage) => restored(stage, WORK, []),
    mend: ['adopt --yes'],
  },
  {
    name: 'restored under another name, without owners and privileges',
    make: (stage) => restored(stage, `${WORK}_restored`, ['--no-owner', '--no-privileges']),
    mend: ['adopt --yes'],
    first: {
      said: 'what fragments read, granted again',
      act: ({ asAdmin, site }) =>
        asAdmin(`${WORK}_restored`, `GRANT SELECT ON pois TO ${site.fragmentRole}`),
    },
  },
  {
    name: 'restored and adopted',
    make: async (stage) => {
      await restored(stage, `${WORK}_restored`, []);
      await stage.mustRun('adopt --yes');
    },
    mend: [],
  },
  {
    name: "PartitionCache's own set-up",
    make: foreign,
    mend: ['adopt --yes'],
  },
  {
    name: "PartitionCache's own set-up, adopted",
    make: async (stage) => {
      await foreign(stage);
      await stage.mustRun('adopt --yes');
    },
    mend: [],
  },
];

/** Single mode: the work database is the one that has pg_cron. */
async function onlyDatabase({ env, asAdmin, site }: Stage): Promise<void> {
  const { migrator, cronRole, app, fragmentRole } = site;
  env.DB_NAME = CRON;
  await asAdmin(
    CRON,
    `GRANT CREATE ON DATABASE ${CRON} TO ${migrator.name}, ${cronRole.name}`,
    `GRANT USAGE, CREATE ON SCHEMA public TO ${migrator.name}, ${app.name}`,
    'CREATE TABLE pois (id integer PRIMARY KEY, zipcode integer)',
    `GRANT SELECT ON pois TO ${fragmentRole}, ${app.name}`,
  );
}
