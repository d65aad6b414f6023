import type { ClientBase } from 'pg';
import { type AppliedMigration, checkLedger, pending, readLedger } from '../migrations/ledger.js';
import { type Migration, readMigrations } from '../migrations/read-migrations.js';
import { type StreamName, streams } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { placeholderValues } from './placeholder-values.js';
import { streamSites } from './stream-sites.js';

export interface StreamPlan {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  readonly migrations: readonly Migration[];
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
}

/** A stream's migrations as this deployment would run them, next to what its ledger says. Changes nothing. */
export async function readStreamPlan(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<StreamPlan> {
  const migrations = await readMigrations(streams[stream].directory, placeholderValues(settings));
  const { connection, schema } = streamSites(settings)[stream];
  const applied = await readLedger(client, schema);
  checkLedger(applied, migrations);
  return {
    stream,
    database: connection.database,
    schema,
    migrations,
    applied,
    pending: pending(applied, migrations),
  };
}
