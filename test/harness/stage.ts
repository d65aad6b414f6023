import type pg from 'pg';
import type { Settings } from '../../src/settings/settings.js';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { cli, type Ran } from '../unit/cli/fake-world.js';
import { addMigration, type BuiltCli, buildCli, setVersion } from './built-cli.js';
import { startOwnCluster } from './cluster.js';
import { cronGrants } from './databases.js';
import { createSite, settingsFrom, type TestSite } from './deployment.js';
import { asAdmin, dropDatabase } from './moved-databases.js';
import { waitFor } from './wait-for.js';

export const WORK = 'shop';
export const CRON = 'cron_management';

/** One server on which each state is made anew, with the same roles and the same names. */
export interface Stage {
  readonly cluster: ThrowawayCluster;
  readonly site: TestSite;
  /** What the person on duty has set; a state may change it. */
  readonly env: NodeJS.ProcessEnv;
  readonly settings: () => Settings;
  readonly run: (line: string) => Promise<Ran>;
  /** Runs it and fails unless it ends with 0. */
  readonly mustRun: (line: string) => Promise<Ran>;
  readonly asAdmin: (
    database: string,
    ...statements: readonly string[]
  ) => Promise<pg.QueryResult['rows']>;
  /** A later build of this package, with one migration more. */
  readonly newerPackage: (up: string) => Promise<BuiltCli>;
  readonly remove: () => Promise<void>;
}

export async function createStage(): Promise<Stage> {
  const cluster = await startOwnCluster({ cronDatabase: CRON });
  await asAdmin(cluster, [`CREATE DATABASE ${CRON}`], 'postgres');
  await asAdmin(cluster, ['CREATE EXTENSION pg_cron'], CRON);
  const site = await createSite({ cluster, cronDatabase: CRON });
  const env: NodeJS.ProcessEnv = {};
  const builds = new Map<string, Promise<BuiltCli>>();
  const run = (line: string) => cli(line.split(' '), { env: { ...env }, now: () => new Date() });
  const stage: Stage = {
    cluster,
    site,
    env,
    settings: () => settingsFrom(env),
    run,
    mustRun: async (line) => {
      const ran = await run(line);
      if (ran.code !== 0)
        throw new Error(`${line} ended with ${ran.code}: ${ran.stdout}${ran.stderr}`);
      return ran;
    },
    asAdmin: (database, ...statements) => asAdmin(cluster, statements, database),
    newerPackage: (up) => {
      const build = builds.get(up) ?? buildNewer(up);
      builds.set(up, build);
      return build;
    },
    remove: async () => {
      await clear(stage);
      await dropWorkDatabases(cluster);
      for (const build of builds.values()) await (await build).remove();
    },
  };
  return stage;
}

async function buildNewer(up: string): Promise<BuiltCli> {
  const newer = await buildCli();
  await setVersion(newer, '0.9.0');
  await addMigration(newer, 'further', { up, down: 'DROP TABLE {{schema}}.further;' });
  return newer;
}

/** An empty work database, and a pg_cron database without jobs and schemas of ours. */
export async function clear({ cluster, site, env, asAdmin }: Stage): Promise<void> {
  const [{ shared_preload_libraries }] = await asAdmin('postgres', 'SHOW shared_preload_libraries');
  if (shared_preload_libraries === '') await cluster.restart({ preloadPgCron: true });
  const { migrator, cronRole, app, fragmentRole } = site;
  await dropWorkDatabases(cluster);
  for (const { name, password } of [migrator, cronRole, app]) {
    await asAdmin('postgres', `ALTER ROLE ${name} PASSWORD '${password}'`);
  }
  await clearCron(cluster, site);
  await asAdmin('postgres', `CREATE DATABASE ${WORK} OWNER ${migrator.name}`);
  await asAdmin(
    WORK,
    `GRANT USAGE, CREATE ON SCHEMA public TO ${migrator.name}, ${app.name}`,
    'CREATE TABLE pois (id integer PRIMARY KEY, zipcode integer)',
    'INSERT INTO pois SELECT i, i FROM generate_series(1, 10) AS i',
    `GRANT SELECT ON pois TO ${fragmentRole}, ${app.name}`,
  );
  for (const name of Object.keys(env)) delete env[name];
  Object.assign(env, site.environment({ DB_NAME: WORK }));
}

async function dropWorkDatabases(cluster: ThrowawayCluster): Promise<void> {
  const databases = await asAdmin(
    cluster,
    [`SELECT datname FROM pg_database WHERE datname ~ '^${WORK}'`],
    'postgres',
  );
  for (const { datname } of databases) await dropDatabase(cluster, datname);
}

async function clearCron(
  cluster: ThrowawayCluster,
  { migrator, cronRole, app }: TestSite,
): Promise<void> {
  const [{ there }] = await asAdmin(
    cluster,
    [`SELECT count(*) > 0 AS there FROM pg_database WHERE datname = '${CRON}'`],
    'postgres',
  );
  if (!there) await asAdmin(cluster, [`CREATE DATABASE ${CRON}`], 'postgres');
  await asAdmin(cluster, [`ALTER DATABASE ${CRON} ALLOW_CONNECTIONS true`], 'postgres');
  await asAdmin(cluster, ['CREATE EXTENSION IF NOT EXISTS pg_cron'], CRON);
  const all = [migrator, cronRole, app].map(({ name }) => name).join(', ');
  await asAdmin(
    cluster,
    [
      'SELECT cron.unschedule(jobid) FROM cron.job',
      'DELETE FROM cron.job_run_details',
      `DROP OWNED BY ${all} CASCADE`,
      'DROP TABLE IF EXISTS pois',
      ...cronGrants(cronRole.name, CRON),
    ],
    CRON,
  );
  await launcherRuns(cluster);
}

export async function launcherRuns(cluster: ThrowawayCluster): Promise<void> {
  await waitFor(
    'the launcher of pg_cron',
    async () => {
      const [{ running }] = await asAdmin(
        cluster,
        [
          "SELECT count(*)::int AS running FROM pg_stat_activity WHERE backend_type = 'pg_cron launcher'",
        ],
        'postgres',
      );
      return running === 1;
    },
    { deadlineMs: 30_000 },
  );
}
