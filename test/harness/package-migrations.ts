import type { StreamName } from '../../src/migrations/streams.js';
import { pinsOf } from '../../tools/migrations/pins.js';
import { type MigrationPair, readStreamSource } from '../../tools/migrations/stream-source.js';

/** The migrations of a stream, by name, in their order. */
export async function migrationNames(stream: StreamName): Promise<string[]> {
  return (await migrations(stream)).map(({ name }) => name);
}

/** The last migration before the one that first creates the routine: a database at this point lacks it. */
export async function migrationBefore(stream: StreamName, routine: string): Promise<string> {
  const all = await migrations(stream);
  const index = all.findIndex(({ up }) => pinsOf(up).has(routine));
  const before = all[index - 1];
  if (before === undefined) throw new Error(`no migration comes before the one of ${routine}`);
  return before.name;
}

async function migrations(stream: StreamName): Promise<readonly MigrationPair[]> {
  return (await readStreamSource(process.cwd(), stream)).migrations;
}
