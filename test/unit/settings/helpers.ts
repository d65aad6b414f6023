import { loadSettings } from '../../../src/settings/load.js';
import type { Settings } from '../../../src/settings/settings.js';

/** The minimal configuration. */
export const LEAST = {
  DB_USER: 'migrator',
  DB_NAME: 'app',
  CACHE_BACKEND: 'postgresql_array',
  PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
} as const;

export type Env = Record<string, string | undefined>;

export function load(env: Env = {}, options: { cwd?: string; envFile?: string } = {}) {
  return loadSettings({ env: { ...LEAST, ...env }, cwd: '/nonexistent', ...options });
}

export function settingsOf(
  env: Env = {},
  options: { cwd?: string; envFile?: string } = {},
): Settings {
  const result = load(env, options);
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 2));
  return result.settings;
}

export function problemsOf(env: Env, options: { cwd?: string; envFile?: string } = {}) {
  const result = load(env, options);
  return result.ok ? [] : result.problems;
}

export function resolvedOf(env: Env, name: string, options: { cwd?: string } = {}) {
  const found = load(env, options).resolved.find((variable) => variable.name === name);
  return found && [found.value, found.source];
}
