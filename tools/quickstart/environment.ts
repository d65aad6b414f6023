import { randomBytes } from 'node:crypto';
import { loadSettings } from '../../src/settings/load.js';
import type { LoginSettings, Settings } from '../../src/settings/settings.js';
import { VARIABLES } from '../../src/settings/variables.js';
import type { ClusterAddress } from '../throwaway/cluster.js';

export type Environment = Readonly<Record<string, string>>;

export type QuickstartSettings = Settings & {
  readonly admin: LoginSettings;
  readonly fragmentRole: string;
};

/** What a user would put into .env for this server: two databases, four roles, an administrator. */
export function environmentFor(cluster: ClusterAddress): Environment {
  return {
    DB_HOST: cluster.host,
    DB_PORT: String(cluster.port),
    DB_USER: 'pcache_migrator',
    DB_PASSWORD: randomPassword(),
    DB_NAME: 'partition_cache_db',
    PG_CRON_USER: 'pcache_cron',
    PG_CRON_PASSWORD: randomPassword(),
    PG_CRON_DATABASE: 'postgres',
    PG_QUEUE_USER: 'app',
    PG_QUEUE_PASSWORD: randomPassword(),
    PG_FRAGMENT_ROLE: 'pcache_fragments',
    CACHE_BACKEND: 'postgresql_array',
    PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
    PCACHE_CRON_TRANSPORT: 'link',
    PG_ADMIN_USER: cluster.adminUser,
    PG_ADMIN_PASSWORD: cluster.adminPassword,
  };
}

function randomPassword(): string {
  return randomBytes(18).toString('base64url');
}

/** `directory` must not contain a .env: nothing from a configured server may get in. */
export function settingsFrom(environment: Environment, directory: string): QuickstartSettings {
  const result = loadSettings({ env: { ...environment }, cwd: directory });
  if (!result.ok) {
    throw new Error(
      `the quickstart's own settings are refused: ${result.problems.map(({ variable, message }) => `${variable} ${message}`).join('; ')}`,
    );
  }
  const { admin, fragmentRole } = result.settings;
  if (admin === undefined) throw new Error('PG_ADMIN_USER is missing');
  if (fragmentRole === undefined) throw new Error('PG_FRAGMENT_ROLE is missing');
  return { ...result.settings, admin, fragmentRole };
}

export function renderEnvFile(environment: Environment): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Our variables that `env` sets: they would override a .env file. */
export function variablesSetIn(env: NodeJS.ProcessEnv): string[] {
  return VARIABLES.map(({ name }) => name).filter((name) => env[name]);
}
