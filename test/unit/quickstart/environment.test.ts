import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadSettings } from '../../../src/settings/load.js';
import {
  environmentFor,
  renderEnvFile,
  settingsFrom,
  variablesSetIn,
} from '../../../tools/quickstart/environment.js';
import { clusterAddress } from './cluster-address.js';

test('the settings are those of a link between two databases, under four roles', () => {
  const settings = settingsFrom(environmentFor(clusterAddress), import.meta.dirname);
  expect(settings).toMatchObject({
    mode: 'cross',
    transport: 'link',
    work: { port: 25432, user: 'pcache_migrator', database: 'partition_cache_db' },
    cron: { port: 25432, user: 'pcache_cron', database: 'postgres' },
    client: { port: 25432, user: 'app', database: 'partition_cache_db' },
    admin: { user: 'postgres', password: 'secret' },
  });
});

test('the .env file gives the settings that were used', async () => {
  const environment = environmentFor(clusterAddress);
  const directory = await mkdtemp(path.join(tmpdir(), 'pcache-unit-'));
  try {
    await writeFile(path.join(directory, '.env'), renderEnvFile(environment));
    const read = loadSettings({ env: {}, cwd: directory });
    expect(read).toMatchObject({
      ok: true,
      settings: settingsFrom(environment, import.meta.dirname),
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('names the variables that would override the file', () => {
  expect(variablesSetIn({ DB_HOST: 'db.example.com', DB_NAME: '', PATH: '/bin' })).toEqual([
    'DB_HOST',
  ]);
});
