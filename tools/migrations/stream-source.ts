import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StreamName } from '../../src/migrations/streams.js';
import { parseRoutine, type Routine } from './routine.js';

/** Where each stream keeps its migrations and the sources of its routines, from the root of the checkout. */
export const folders: Readonly<Record<StreamName, { migrations: string; routines: string }>> = {
  work: { migrations: 'migrations', routines: 'routines/work' },
  cron: { migrations: 'cron-migrations', routines: 'routines/cron' },
};

export const streamNames = Object.keys(folders) as StreamName[];

export interface MigrationPair {
  /** `NNNN_name` */
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

/** A stream as it is in the checkout, its placeholders not filled in. */
export interface StreamSource {
  readonly stream: StreamName;
  readonly routines: readonly Routine[];
  readonly migrations: readonly MigrationPair[];
}

export async function readStreamSource(root: string, stream: StreamName): Promise<StreamSource> {
  const { migrations, routines } = folders[stream];
  return {
    stream,
    routines: await readRoutines(join(root, routines)),
    migrations: await readPairs(join(root, migrations)),
  };
}

export async function readStreamSources(root: string): Promise<StreamSource[]> {
  return Promise.all(streamNames.map((stream) => readStreamSource(root, stream)));
}

async function readRoutines(directory: string): Promise<Routine[]> {
  const names = (await sqlFiles(directory)).map((file) => file.replace(/\.sql$/, ''));
  return Promise.all(
    names.map(async (name) =>
      parseRoutine(name, await readFile(join(directory, `${name}.sql`), 'utf8')),
    ),
  );
}

async function readPairs(directory: string): Promise<MigrationPair[]> {
  const files = await sqlFiles(directory);
  const names = [...new Set(files.map((file) => file.replace(/\.(up|down)\.sql$/, '')))];
  return Promise.all(
    names.map(async (name) => ({
      name,
      up: await readFile(join(directory, `${name}.up.sql`), 'utf8'),
      down: await readFile(join(directory, `${name}.down.sql`), 'utf8'),
    })),
  );
}

async function sqlFiles(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort();
}

/** The files of a pair, from the root of the checkout. */
export function filesOf(stream: StreamName, name: string): { up: string; down: string } {
  const { migrations } = folders[stream];
  return { up: `${migrations}/${name}.up.sql`, down: `${migrations}/${name}.down.sql` };
}

/** Writes the halves that differ from `before` and returns the names of their files. */
export async function writePair(
  root: string,
  stream: StreamName,
  { name, up, down }: MigrationPair,
  before?: MigrationPair,
): Promise<string[]> {
  const files = filesOf(stream, name);
  const halves = [
    { file: files.up, text: up, was: before?.up },
    { file: files.down, text: down, was: before?.down },
  ].filter(({ text, was }) => text !== was);
  await mkdir(join(root, folders[stream].migrations), { recursive: true });
  for (const { file, text } of halves) await writeFile(join(root, file), text);
  return halves.map(({ file }) => file);
}
