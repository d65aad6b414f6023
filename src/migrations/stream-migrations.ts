import {
  type Migration,
  type MigrationFiles,
  migrationsOf,
  readMigrationFiles,
} from './read-migrations.js';
import type { PlaceholderValues } from './render-sql.js';
import { type StreamName, streams } from './streams.js';

/** Read once: a process runs the migrations that came with the code that it has loaded. */
const files = new Map<StreamName, MigrationFiles>();

/** The last that was made of each stream: a command asks several times, with the same values. */
const made = new Map<StreamName, { readonly of: string; readonly migrations: Migration[] }>();

/** This package's migrations of a stream, filled in. */
export function streamMigrations(
  stream: StreamName,
  values: PlaceholderValues,
): readonly Migration[] {
  const of = JSON.stringify(values);
  const last = made.get(stream);
  if (last?.of === of) return last.migrations;
  const read = files.get(stream) ?? readMigrationFiles(streams[stream].directory);
  files.set(stream, read);
  const migrations = migrationsOf(read, values);
  made.set(stream, { of, migrations });
  return migrations;
}
