import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import type { ConnectionError } from '../database/connection-error.js';
import { withClientIfReachable } from '../database/with-client-if-reachable.js';
import type { StreamName } from '../migrations/streams.js';
import { asPlanner, type ConnectionSettings, type Settings } from '../settings/settings.js';

export interface ReadOnlyDatabases {
  readonly work: ClientBase;
  /** Undefined if only the work stream is asked about. */
  readonly cron: ClientBase | undefined;
}

/** Connects as the role that plans; what tries to write fails. */
export function withReadOnlyDatabases<T>(
  settings: Settings,
  streams: readonly StreamName[],
  use: (databases: ReadOnlyDatabases) => Promise<T>,
): Promise<T> {
  return withReadOnly(asPlanner(settings.work, settings.planner), (work) =>
    streams.includes('cron')
      ? withReadOnly(asPlanner(settings.cron, settings.planner), (cron) => use({ work, cron }))
      : use({ work, cron: undefined }),
  );
}

/** Both, or the work database alone where that of pg_cron cannot be reached. */
export function withReachedReadOnlyDatabases<T>(
  settings: Settings,
  use: (databases: ReadOnlyDatabases, cronFailure: ConnectionError | undefined) => Promise<T>,
): Promise<T> {
  return withReadOnly(asPlanner(settings.work, settings.planner), (work) =>
    withClientIfReachable(
      asPlanner(settings.cron, settings.planner),
      async ({ client: cron, failure }) => {
        if (cron) await forbidChanges(cron);
        return use({ work, cron }, failure);
      },
    ),
  );
}

function withReadOnly<T>(
  connection: ConnectionSettings,
  use: (client: ClientBase) => Promise<T>,
): Promise<T> {
  return withClient(connection, async (client) => {
    await forbidChanges(client);
    return use(client);
  });
}

async function forbidChanges(client: ClientBase): Promise<void> {
  await client.query('SET default_transaction_read_only = on');
  // While a plan waits for someone else's lock, the application waits for the plan.
  await client.query("SET lock_timeout = '10s'");
}
