import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type StreamName, streams } from '../../src/migrations/streams.js';
import { bundleInto } from '../../tools/build/bundle-into.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface BuiltCli {
  /** A folder like the package's, with nothing of a checkout. */
  readonly folder: string;
  readonly main: string;
  remove(): Promise<void>;
}

/** Bundles the command line, as it would be installed. */
export async function buildCli(): Promise<BuiltCli> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pcache-cli-'));
  for (const name of ['node_modules', 'package.json', 'migrations', 'cron-migrations'])
    await symlink(path.join(ROOT, name), path.join(folder, name));
  const dist = path.join(folder, 'dist');
  await bundleInto(dist);
  return {
    folder,
    main: path.join(dist, 'cli', 'main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface FurtherScripts {
  readonly up: string;
  readonly down: string;
  /** The content of its file of measured locks. */
  readonly locks?: string;
}

/** Adds a migration to a stream of this build alone; returns its name. */
export async function addMigration(
  { folder }: BuiltCli,
  name: string,
  { up, down, locks }: FurtherScripts,
  stream: StreamName = 'work',
): Promise<string> {
  const original = streams[stream].directory;
  const directory = path.join(folder, path.basename(original));
  await rm(directory, { recursive: true });
  await cp(original, directory, { recursive: true });
  const last = (await readdir(directory)).sort().at(-1) ?? '';
  const full = `${String(Number(last.slice(0, 4)) + 1).padStart(4, '0')}_${name}`;
  await writeFile(path.join(directory, `${full}.up.sql`), up);
  await writeFile(path.join(directory, `${full}.down.sql`), down);
  if (locks !== undefined) await writeFile(path.join(directory, `${full}.locks.json`), locks);
  return full;
}

/** Has this build say that it is another version. */
export async function setVersion({ folder }: BuiltCli, version: string): Promise<void> {
  const manifest = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  const file = path.join(folder, 'package.json');
  // Not through the link.
  await rm(file);
  await writeFile(file, JSON.stringify({ ...manifest, version }));
}
