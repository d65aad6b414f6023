import pg from 'pg';
import { preflight } from '../../src/operations/preflight.js';
import { NAME_MAX_BYTES, OWN_SCHEMA_MAX_BYTES } from '../../src/settings/names.js';
import type { Settings } from '../../src/settings/settings.js';
import type { ClusterAddress, ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { adminClient } from './databases.js';
import { settingsFrom } from './deployment.js';
import { hostileName, hostilePassword } from './hostile-names.js';
import type { Random } from './random.js';

export interface HostileSite {
  readonly environment: NodeJS.ProcessEnv;
  readonly settings: Settings;
  readonly processor: string;
  /** A partition key. */
  readonly key: string;
  /** The table that the fragments read. */
  readonly pois: string;
}

/** The sites of a cluster differ in these ways. */
export type Layout = 'single' | 'deploy' | 'link';

export interface HostileSiteOptions {
  readonly cluster: ThrowawayCluster;
  readonly cronDatabase: string;
  readonly layout: Layout;
  /** The settings name an administrator, who makes up for what was not granted. */
  readonly administrator: boolean;
  readonly backend: 'postgresql_array' | 'postgresql_bit';
  readonly random: Random;
  /** A name that no other object of the cluster has. */
  readonly draw: () => string;
}

/** Databases, roles and schemas with hostile names, ready to be deployed to. */
export async function createHostileSite(options: HostileSiteOptions): Promise<HostileSite> {
  const { cluster, random, draw } = options;
  const environment = drawEnvironment(options);
  const settings = settingsFrom(environment);
  const room = NAME_MAX_BYTES - Buffer.byteLength(`${settings.tablePrefix}_cache_`);
  const site: HostileSite = {
    environment,
    settings,
    processor: draw(),
    key: firstBytes(hostileName(random), room),
    pois: `${pg.escapeIdentifier(settings.clientSchema)}.pois`,
  };
  await asAdmin(cluster, settings.cron.database, rolesAndDatabase(settings));
  await asAdmin(cluster, settings.work.database, schemaAndTable(site));
  if (options.administrator) {
    await preflight(settings, ['work', 'cron'], { waitSeconds: 20, onWait: () => {} });
  } else {
    await asAdmin(cluster, settings.cron.database, cronGrants(settings));
    await asAdmin(cluster, settings.work.database, workGrants(settings));
  }
  return site;
}

function drawEnvironment(options: HostileSiteOptions): NodeJS.ProcessEnv {
  const { cluster, cronDatabase, layout, backend, random, draw } = options;
  return {
    DB_HOST: cluster.host,
    DB_PORT: String(cluster.port),
    DB_NAME: layout === 'single' ? cronDatabase : draw(),
    DB_USER: draw(),
    DB_PASSWORD: hostilePassword(random),
    PG_CRON_DATABASE: cronDatabase,
    PG_CRON_USER: draw(),
    PG_CRON_PASSWORD: hostilePassword(random),
    PG_QUEUE_USER: draw(),
    PG_QUEUE_PASSWORD: hostilePassword(random),
    PG_FRAGMENT_ROLE: draw(),
    PCACHE_SCHEMA: plainName(random, OWN_SCHEMA_MAX_BYTES),
    PCACHE_CLIENT_SCHEMA: draw(),
    PG_QUEUE_TABLE_PREFIX: plainName(random, 40),
    PG_ARRAY_CACHE_TABLE_PREFIX: plainName(random, 43),
    PG_BIT_CACHE_TABLE_PREFIX: plainName(random, 43),
    CACHE_BACKEND: backend,
    PCACHE_CRON_TRANSPORT: layout === 'link' ? 'link' : 'deploy',
    PCACHE_LINK_PORT: String(cluster.serverPort),
    ...(options.administrator && {
      PG_ADMIN_USER: cluster.adminUser,
      PG_ADMIN_PASSWORD: cluster.adminPassword,
    }),
  };
}

/** A prefix or schema as the settings allow them, sometimes as long as they allow. */
function plainName(random: Random, most: number): string {
  const name = random.pick(['_', 'a', 'my_cache', 'select', 'x0_']);
  return random.chance(0.5) ? name.padEnd(most, '_z') : name;
}

function firstBytes(text: string, bytes: number): string {
  let rest = [...text];
  while (Buffer.byteLength(rest.join('')) > bytes) rest = rest.slice(0, -1);
  return rest.join('');
}

const id = pg.escapeIdentifier;

function rolesAndDatabase({ work, cron, client, fragmentRole = '' }: Settings): string[] {
  return [
    `CREATE ROLE ${id(fragmentRole)} NOLOGIN`,
    ...[work, cron, client].flatMap(({ user, password = '' }) => [
      `CREATE ROLE ${id(user)} LOGIN PASSWORD ${pg.escapeLiteral(password)}`,
      // Then, a backslash in '…' means another character.
      `ALTER ROLE ${id(user)} SET standard_conforming_strings = off`,
    ]),
    ...(work.database === cron.database
      ? []
      : [`CREATE DATABASE ${id(work.database)} TEMPLATE template0 OWNER ${id(work.user)}`]),
  ];
}

function schemaAndTable({ settings, pois }: HostileSite): string[] {
  const { clientSchema, work, fragmentRole = '' } = settings;
  return [
    `CREATE SCHEMA ${id(clientSchema)}`,
    `CREATE TABLE ${pois} AS SELECT id FROM generate_series(1, 10) AS id`,
    `GRANT SELECT ON ${pois} TO ${id(work.user)}, ${id(fragmentRole)}`,
  ];
}

function cronGrants({ cron }: Settings): string[] {
  return [
    `GRANT USAGE ON SCHEMA cron TO ${id(cron.user)}`,
    `GRANT CREATE ON DATABASE ${id(cron.database)} TO ${id(cron.user)}`,
    `GRANT EXECUTE ON FUNCTION cron.schedule_in_database(text, text, text, text, text, boolean), cron.unschedule(bigint) TO ${id(cron.user)}`,
  ];
}

function workGrants({ work, cron, client, fragmentRole = '', clientSchema }: Settings): string[] {
  return [
    `GRANT CREATE ON DATABASE ${id(work.database)} TO ${id(work.user)}`,
    `GRANT USAGE, CREATE ON SCHEMA ${id(clientSchema)} TO ${id(work.user)}, ${id(client.user)}`,
    `GRANT USAGE ON SCHEMA ${id(clientSchema)} TO ${id(cron.user)}, ${id(fragmentRole)}`,
    `GRANT ${id(fragmentRole)} TO ${id(work.user)}`,
    'CREATE EXTENSION IF NOT EXISTS dblink',
  ];
}

export async function asAdmin(
  cluster: ClusterAddress,
  database: string,
  statements: readonly string[],
): Promise<void> {
  const admin = await adminClient(database, cluster);
  try {
    for (const statement of statements) await admin.query(statement);
  } finally {
    await admin.end();
  }
}
