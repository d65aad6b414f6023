import type { ClientBase } from 'pg';
import type { Begun } from '../database/connect.js';
import { type Reached, withClientIfReachable } from '../database/with-client-if-reachable.js';
import type { ConnectionSettings } from '../settings/settings.js';

/** Connects for reading; if that fails, passes the failure to `use` instead. */
export function reach<T>(
  settings: ConnectionSettings,
  use: (reached: Reached) => Promise<T>,
  begun?: Begun,
): Promise<T> {
  return withClientIfReachable(
    settings,
    async (reached) => {
      if (reached.client) await forbidChanges(reached.client);
      return use(reached);
    },
    begun,
  );
}

/** For checks that need the connection, and therefore run only if it exists. */
export function clientOf(reached: Reached | undefined): ClientBase {
  if (reached?.client === undefined) {
    throw reached?.failure ?? new Error('A check was run without the connection it needs.');
  }
  return reached.client;
}

// While the doctor waits for someone else's lock, the deployment waits for the doctor.
async function forbidChanges(client: ClientBase): Promise<void> {
  await client.query("SET lock_timeout = '10s'; SET default_transaction_read_only = on");
}
