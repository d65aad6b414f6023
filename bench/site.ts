import { readdir, readFile } from 'node:fs/promises';
import { type Client, escapeIdentifier } from 'pg';
import { clientName, ownName } from '../src/deployment/own-names.js';
import { deploymentTables } from '../src/deployment/placeholder-values.js';
import { up } from '../src/operations/up.js';
import { defaultJobName } from '../src/processor/default-job-name.js';
import { addProcessor } from '../src/processor/processor-config.js';
import { asAdministrator, type ConnectionSettings } from '../src/settings/settings.js';
import {
  type Environment,
  environmentFor,
  type QuickstartSettings,
  settingsFrom,
} from '../tools/quickstart/environment.js';
import { prepareServer } from '../tools/quickstart/prepare-server.js';
import type { ThrowawayCluster } from '../tools/throwaway/cluster.js';
import { connect } from './connect.js';
import { type Deployer, otherBuild, quietly, thisCheckout } from './deployer.js';

export interface SiteOptions {
  /** Names the database and the roles. */
  readonly name: string;
  readonly backend?: 'array' | 'bit';
  /** True: pg_cron's jobs run the processor, with its default settings. `later`: once it is enabled. False: nothing does. */
  readonly scheduled?: boolean | 'later';
  readonly defaultBitsize?: number;
  /** Another site, whose roles this one has, too. */
  readonly rolesOf?: Site;
  /** The command line of another build, which deploys in place of this checkout; only if scheduled. */
  readonly deployedBy?: string;
}

/** `pg_cron` is the superuser in the pg_cron database; the others are in the work database. */
export type SessionRole = 'admin' | 'migrator' | 'cron' | 'client' | 'pg_cron';

/** A database of its own with this package deployed into it. */
export interface Site {
  readonly settings: QuickstartSettings;
  /** What the command line has the settings from, without an administrator. */
  readonly environment: Environment;
  readonly jobName: string;
  /** `"schema"."table"` of the clients' tables. */
  readonly tables: Readonly<
    Record<'queue' | 'log' | 'queries' | 'config' | 'cache' | 'metadata', string>
  >;
  readonly runProcessor: string;
  /** A superuser's session in the work database. */
  readonly admin: Client;
  /** Lets pg_cron's jobs run the processor; only if scheduled. */
  readonly enable: Deployer['enable'];
  /** Further sessions, ended with the site. */
  connectAs(role: SessionRole): Promise<Client>;
  remove(): Promise<void>;
}

/** The partition key that all fragments here are about. */
export const partitionKey = 'zipcode';

export async function createSite(cluster: ThrowawayCluster, options: SiteOptions): Promise<Site> {
  const {
    PG_ADMIN_USER = '',
    PG_ADMIN_PASSWORD = '',
    ...environment
  } = environmentOf(cluster, options);
  // The folder contains no .env.
  const settings = settingsFrom(
    { ...environment, PG_ADMIN_USER, PG_ADMIN_PASSWORD },
    import.meta.dirname,
  );
  const jobName = defaultJobName(settings);
  await (options.rolesOf ? createDatabase(settings) : prepareServer(settings));
  const deployer =
    options.deployedBy === undefined
      ? thisCheckout(settings)
      : otherBuild(options.deployedBy, { ...environment, PG_ADMIN_USER, PG_ADMIN_PASSWORD });
  if (options.scheduled) {
    await deployer.setup();
    if (options.scheduled === true) await deployer.enable();
  } else {
    await up(settings, { streams: ['work'], ...quietly });
  }
  const sessions: Client[] = [];
  const connectAs: Site['connectAs'] = async (role) => {
    const client = await connect(connectionOf(settings, role));
    sessions.push(client);
    return client;
  };
  const admin = await connectAs('admin');
  if (!options.scheduled) {
    await addProcessor(admin, settings, jobName, {
      enabled: false,
      parallel: 1,
      defaultBitsize: options.defaultBitsize,
    });
  }
  const names = deploymentTables(settings);
  return {
    settings,
    environment,
    jobName,
    tables: {
      queue: clientName(settings, names.fragmentQueue),
      log: clientName(settings, names.processorLog),
      queries: clientName(settings, names.queries),
      config: clientName(settings, names.processorConfig),
      metadata: clientName(settings, names.partitionMetadata),
      cache: clientName(settings, `${settings.tablePrefix}_cache_${partitionKey}`),
    },
    runProcessor: ownName(settings, 'run_processor'),
    admin,
    enable: deployer.enable,
    connectAs,
    async remove() {
      await Promise.all(sessions.map((session) => session.end()));
      await removeDatabase(settings);
    },
  };
}

function environmentOf(cluster: ThrowawayCluster, options: SiteOptions): Environment {
  if (options.rolesOf) {
    return {
      ...options.rolesOf.environment,
      DB_NAME: databaseOf(options),
      PG_ADMIN_USER: cluster.adminUser,
      PG_ADMIN_PASSWORD: cluster.adminPassword,
    };
  }
  return {
    ...environmentFor(cluster),
    DB_NAME: databaseOf(options),
    DB_USER: `migrator_${options.name}`,
    PG_CRON_USER: `cron_${options.name}`,
    PG_QUEUE_USER: `app_${options.name}`,
    PG_FRAGMENT_ROLE: `fragments_${options.name}`,
    PCACHE_CRON_TRANSPORT: 'deploy',
    CACHE_BACKEND: `postgresql_${options.backend ?? 'array'}`,
    PG_BIT_CACHE_TABLE_PREFIX: 'my_cache',
  };
}

function databaseOf({ name }: SiteOptions): string {
  return `bench_${name}`;
}

function connectionOf(settings: QuickstartSettings, role: SessionRole): ConnectionSettings {
  switch (role) {
    case 'pg_cron':
      return asAdministrator(settings.cron, settings.admin);
    case 'admin':
      return asAdministrator(settings.work, settings.admin);
    case 'migrator':
      return settings.work;
    case 'cron':
      return { ...settings.cron, database: settings.work.database };
    case 'client':
      return settings.client;
  }
}

async function createDatabase(settings: QuickstartSettings): Promise<void> {
  const client = await connect(asAdministrator(settings.cron, settings.admin));
  try {
    await client.query(
      `CREATE DATABASE ${escapeIdentifier(settings.work.database)} OWNER ${escapeIdentifier(settings.work.user)}`,
    );
  } finally {
    await client.end();
  }
}

async function removeDatabase(settings: QuickstartSettings): Promise<void> {
  const client = await connect(asAdministrator(settings.cron, settings.admin));
  try {
    const { rows } = await client.query("SELECT to_regclass('cron.job') IS NOT NULL AS present");
    if (rows[0].present) {
      await client.query('SELECT cron.unschedule(jobid) FROM cron.job WHERE username = $1', [
        settings.cron.user,
      ]);
    }
    await client.query(`DROP DATABASE ${escapeIdentifier(settings.work.database)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

/** Runs the SQL files of a directory next to this file, in the order of their names. */
export async function runSqlFiles(client: Client, directory: string): Promise<string[]> {
  const folder = new URL(`${directory}/`, import.meta.url);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  for (const file of files) await client.query(await readFile(new URL(file, folder), 'utf8'));
  return files.map((name) => name.slice(0, -'.sql'.length));
}
