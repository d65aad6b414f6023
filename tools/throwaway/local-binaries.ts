import { access, readdir } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './run-command.js';

const debianRoot = '/usr/lib/postgresql';

/** Where this machine's PostgreSQL with pg_cron is, or the directories that lack it. */
export async function findLocalBinaries(
  env: NodeJS.ProcessEnv,
): Promise<{ binDirectory: string } | { looked: string[] }> {
  const candidates = [...(env.PATH ?? '').split(path.delimiter), ...(await debianDirectories())];
  const servers = await filterAsync(candidates.filter(Boolean), hasServer);
  for (const binDirectory of servers) {
    if (await hasPgCron(binDirectory)) return { binDirectory };
  }
  return { looked: servers };
}

async function debianDirectories(): Promise<string[]> {
  const versions = await readdir(debianRoot).catch(() => []);
  return versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(debianRoot, version, 'bin'));
}

async function hasServer(directory: string): Promise<boolean> {
  const present = await Promise.all(
    ['postgres', 'initdb', 'pg_ctl', 'pg_config'].map((tool) => exists(path.join(directory, tool))),
  );
  return present.every(Boolean);
}

async function hasPgCron(binDirectory: string): Promise<boolean> {
  const pgConfig = path.join(binDirectory, 'pg_config');
  const sharedDirectory = (await runCommand(pgConfig, ['--sharedir'])).trim();
  return exists(path.join(sharedDirectory, 'extension', 'pg_cron.control'));
}

async function filterAsync<T>(
  values: readonly T[],
  test: (value: T) => Promise<boolean>,
): Promise<T[]> {
  const passed = await Promise.all(values.map(test));
  return values.filter((_, index) => passed[index]);
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
