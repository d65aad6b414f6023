import { tmpdir } from 'node:os';
import pg from 'pg';
import { onTestFinished, TestRunner } from 'vitest';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { type SetupOptions, setup } from '../../src/operations/setup.js';
import { up } from '../../src/operations/up.js';
import type { UpOptions, UpReport } from '../../src/operations/up-report.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { addProcessor } from '../../src/processor/processor-config.js';
import { loadSettings } from '../../src/settings/load.js';
import type { ConnectionSettings, Settings } from '../../src/settings/settings.js';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { sharedCluster } from './cluster.js';
import {
  adminClient,
  createDatabase,
  createGroup,
  createRole,
  cronGrants,
  dropDatabase,
  type Role,
} from './databases.js';

export interface TestSite {
  readonly cluster: ClusterAddress;
  readonly database: string;
  readonly migrator: Role;
  readonly cronRole: Role;
  readonly app: Role;
  /** Undefined where fragments have the rights of whoever runs the processor. */
  readonly fragmentRole: string | undefined;
  /** The environment a user would have for this site, overridden by the changes. */
  environment(changes?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  settings(changes?: NodeJS.ProcessEnv): Settings;
}

export interface SiteOptions {
  cluster?: ClusterAddress;
  /** cron.database_name of the cluster. */
  cronDatabase?: string;
  /** An existing database to work in, such as the pg_cron database for single mode. */
  database?: string;
  databasePrefix?: string;
  link?: boolean;
  /** One role is migrator, cron role and client. */
  oneRole?: boolean;
  /** false: fragments have the rights of whoever runs the processor. */
  fragmentRole?: boolean;
  /** The cron role sees pg_cron's settings, so that the room for its jobs is known. */
  readsSettings?: boolean;
}

const sites: (() => Promise<void>)[] = [];
const clients: pg.Client[] = [];

/** After each file (after-file.ts): what its tests have not removed themselves. */
export async function removeSites(): Promise<void> {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  for (const remove of sites.splice(0)) await remove();
}

/**
 * A site of one test goes with that test, one of a hook with the file. Jobs at rest hold places in pg_cron, of which
 * all files that run at once have the same few: too many sites that nobody needs any more starve the others' jobs.
 */
function removeInTime(remove: () => Promise<void>): void {
  if (TestRunner.getCurrentTest()) onTestFinished(remove);
  else sites.push(remove);
}

/**
 * Three roles that are not superusers, a work database owned by the migrator, the guide's minimal grants for
 * the cron role, and a table of points of interest. Nothing is deployed yet.
 */
export async function createSite(options: SiteOptions = {}): Promise<TestSite> {
  const cluster = options.cluster ?? sharedCluster();
  const cronDatabase = options.cronDatabase ?? 'postgres';
  const migrator = await createRole('migrator', cluster);
  const cronRole = options.oneRole ? migrator : await createRole('cron', cluster);
  const app = options.oneRole ? migrator : await createRole('app', cluster);
  const fragmentRole =
    options.fragmentRole === false ? undefined : await createGroup('fragment', cluster);
  const database =
    options.database ??
    (await createDatabase(options.databasePrefix ?? 'work', { owner: migrator.name, cluster }));
  await asAdmin(cluster, cronDatabase, [
    ...cronGrants(cronRole.name, cronDatabase),
    ...(options.readsSettings ? [`GRANT pg_read_all_settings TO ${cronRole.name}`] : []),
  ]);
  await asAdmin(cluster, database, [
    `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(database)} TO ${migrator.name}`,
    `GRANT USAGE, CREATE ON SCHEMA public TO ${migrator.name}, ${app.name}`,
    ...(options.link ? ['CREATE EXTENSION IF NOT EXISTS dblink'] : []),
    'CREATE TABLE IF NOT EXISTS pois (id integer PRIMARY KEY, zipcode integer, area bigint, price numeric, city text, opened timestamp)',
    `INSERT INTO pois
       SELECT i, nullif(i % 300, 7), 5000000000 + i % 40, (i % 25) + 0.5, 'city ' || i % 20, '2026-01-01'::timestamp + i % 12 * interval '1 day'
       FROM generate_series(1, 3000) AS i
       ON CONFLICT DO NOTHING`,
    `GRANT SELECT ON pois TO ${[cronRole.name, app.name, ...(fragmentRole ? [fragmentRole] : [])].join(', ')}`,
    ...(fragmentRole ? [`GRANT ${fragmentRole} TO ${migrator.name}`] : []),
  ]);
  const environment = (changes: NodeJS.ProcessEnv = {}) => ({
    DB_HOST: cluster.host,
    DB_PORT: String(cluster.port),
    DB_USER: migrator.name,
    DB_PASSWORD: migrator.password,
    DB_NAME: database,
    PG_CRON_USER: cronRole.name,
    PG_CRON_PASSWORD: cronRole.password,
    PG_CRON_DATABASE: cronDatabase,
    PG_QUEUE_USER: app.name,
    PG_QUEUE_PASSWORD: app.password,
    CACHE_BACKEND: 'postgresql_array',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
    PCACHE_LINK_PORT: String(cluster.serverPort),
    ...(fragmentRole ? { PG_FRAGMENT_ROLE: fragmentRole } : {}),
    ...(options.link ? { PCACHE_CRON_TRANSPORT: 'link' } : {}),
    ...changes,
  });
  const site: TestSite = {
    cluster,
    database,
    migrator,
    cronRole,
    app,
    fragmentRole,
    environment,
    settings: (changes) => settingsFrom(environment(changes)),
  };
  removeInTime(() => removeSite(site, cronDatabase, options.database === undefined));
  return site;
}

/** Settings as the CLI would read them; fails with the problems if there are any. */
export function settingsFrom(env: NodeJS.ProcessEnv): Settings {
  const result = loadSettings({ env, cwd: tmpdir() });
  if (!result.ok) throw new Error(JSON.stringify(result.problems, undefined, 2));
  return result.settings;
}

async function removeSite(site: TestSite, cronDatabase: string, ownDatabase: boolean) {
  const names = [site.migrator, site.cronRole, site.app].map(({ name }) => name);
  const roles = [...new Set([...names, site.fragmentRole ?? []].flat())].join(', ');
  await asAdmin(site.cluster, cronDatabase, [
    `SELECT cron.unschedule(jobid) FROM cron.job WHERE username = '${site.cronRole.name}'`,
  ]);
  if (ownDatabase) await dropDatabase(site.database, site.cluster);
  await asAdmin(site.cluster, cronDatabase, [`DROP OWNED BY ${roles} CASCADE`]);
  if (cronDatabase !== 'postgres') {
    await asAdmin(site.cluster, 'postgres', [`DROP OWNED BY ${roles} CASCADE`]);
  }
  await asAdmin(site.cluster, 'postgres', [`DROP ROLE ${roles}`]);
}

async function asAdmin(cluster: ClusterAddress, database: string, statements: readonly string[]) {
  const client = await adminClient(database, cluster);
  try {
    for (const statement of statements) await undisturbed(() => client.query(statement));
  } finally {
    await client.end();
  }
}

/**
 * All test files grant on the same database and the same functions of pg_cron. Of two that do so at once,
 * PostgreSQL refuses one ("tuple concurrently updated"), which has changed nothing and can try again.
 */
async function undisturbed<T>(statement: () => Promise<T>, attempts = 10): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    const isDisturbed = (error as Error).message === 'tuple concurrently updated';
    if (!isDisturbed || attempts === 1) throw error;
    return undisturbed(statement, attempts - 1);
  }
}

/** A connection with these settings, ended after the file's tests; search_path is the server's default. */
export async function connectAs(
  settings: ConnectionSettings,
  applicationName?: string,
): Promise<pg.Client> {
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    password: settings.password,
    database: settings.database,
    ...(applicationName !== undefined && { application_name: applicationName }),
  });
  // Dropping the database ends this connection from the server, on purpose.
  client.on('error', () => {});
  await client.connect();
  clients.push(client);
  return client;
}

const quietly = { waitSeconds: 20, drainSeconds: 30, onWait: () => {}, log: () => {} };

export function deploy(settings: Settings, options: Partial<UpOptions> = {}): Promise<UpReport> {
  return up(settings, { streams: ['work', 'cron'], ...quietly, ...options });
}

export function setUp(settings: Settings, options: Partial<SetupOptions> = {}) {
  return setup(settings, { enable: true, ...quietly, ...options });
}

/**
 * Deploys, with one disabled processor that pg_cron is not told of: nothing runs but what the test starts. Taking the
 * jobs away afterwards would come too late where pg_cron is about to start one.
 */
export async function setUpWithoutJobs(settings: Settings): Promise<void> {
  if (settings.transport !== 'deploy')
    throw new Error('with this transport, pg_cron is told at once');
  await deploy(settings);
  const work = await connectAs(settings.work);
  await addProcessor(work, settings, defaultJobName(settings), { enabled: false, parallel: 1 });
  await work.end();
}

export interface Fragment {
  hash: string;
  key: string;
  datatype: string | null;
  query: string;
}

/** Enqueues as a client does; returns the statuses. */
export async function enqueue(
  app: pg.Client,
  settings: Settings,
  fragments: readonly Fragment[],
): Promise<string[]> {
  const { rows } = await app.query(
    'SELECT status FROM non_blocking_fragment_queue_batch_upsert($1, $2, $3, $4, NULL, $5) ORDER BY idx',
    [
      fragments.map(({ hash }) => hash),
      fragments.map(({ key }) => key),
      fragments.map(({ datatype }) => datatype),
      fragments.map(({ query }) => query),
      deploymentTables(settings).fragmentQueue,
    ],
  );
  return rows.map(({ status }) => status);
}

/** `"schema"."table"` of the clients' tables, for queries in tests. */
export function tablesOf(settings: Settings) {
  const names = deploymentTables(settings);
  return Object.fromEntries(
    Object.entries(names).map(([key, name]) => [key, clientName(settings, name)]),
  ) as Record<keyof typeof names, string>;
}
