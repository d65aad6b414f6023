import { type Migration, readMigrations } from './read-migrations.js';
import type { PlaceholderValues } from './render-sql.js';
import { type StreamName, streams } from './streams.js';

/**
 * The last that was made of each stream: a command asks several times, with the same values, and runs the migrations
 * that came with the code that it has loaded.
 */
const made = new Map<StreamName, { readonly of: string; readonly migrations: Migration[] }>();

/** This package's migrations of a stream, filled in. */
export async function streamMigrations(
  stream: StreamName,
  values: PlaceholderValues,
): Promise<readonly Migration[]> {
  const of = JSON.stringify(values);
  const last = made.get(stream);
  if (last?.of === of) return last.migrations;
  const migrations = await readMigrations(streams[stream].directory, values);
  made.set(stream, { of, migrations });
  return migrations;
}
