import type { ClientBase } from 'pg';
import { judgeLedger } from '../migrations/judge-ledger.js';
import { type AppliedMigration, pending, readLedger } from '../migrations/ledger.js';
import type { LedgerError } from '../migrations/ledger-error.js';
import type { Migration } from '../migrations/read-migrations.js';
import { streamMigrations } from '../migrations/stream-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { placeholderValues } from './placeholder-values.js';
import { requireOwners } from './restored-owners.js';
import { streamSites } from './stream-sites.js';

export interface StreamPlan {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  readonly migrations: readonly Migration[];
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly Migration[];
  /** The applied ones that this package does not have, since a newer one applied them. */
  readonly newer: readonly AppliedMigration[];
}

/** A plan whose ledger may be at odds with this package. */
export interface StreamState extends StreamPlan {
  readonly fault: LedgerError | undefined;
}

/**
 * A stream's migrations as this deployment would run them, next to what its ledger says. Changes nothing.
 * Raises LedgerError when nothing may be built on what is applied, LostOwnersError where a restore took it from us.
 */
export async function readStreamPlan(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<StreamPlan> {
  const { fault, ...plan } = await readStreamState(client, settings, stream);
  if (fault) throw fault;
  return plan;
}

/** Likewise, for who wants to see the rest in spite of such a fault. */
export async function readStreamState(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<StreamState> {
  const migrations = await streamMigrations(stream, placeholderValues(settings));
  const { connection, schema } = streamSites(settings)[stream];
  const applied = await readLedger(client, schema, connection.user).catch(async (error) => {
    if (stream === 'work') await requireOwners(client, settings, error);
    throw error;
  });
  return {
    stream,
    database: connection.database,
    schema,
    migrations,
    applied,
    pending: pending(applied, migrations),
    ...judgeLedger(applied, migrations),
  };
}
