import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import type { ConnectionSettings } from '../settings/settings.js';

/** A database that we tried to connect to. */
export type Reached =
  | { readonly client: ClientBase; readonly failure?: never }
  | { readonly client?: never; readonly failure: ConnectionError };

/** Connects for reading; if that fails, passes the failure to `use` instead. */
export async function reach<T>(
  settings: ConnectionSettings,
  use: (reached: Reached) => Promise<T>,
): Promise<T> {
  let connected = false;
  try {
    return await withClient(settings, async (client) => {
      connected = true;
      await forbidChanges(client);
      return use({ client });
    });
  } catch (error) {
    if (connected || !(error instanceof ConnectionError)) throw error;
    return use({ failure: error });
  }
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
  await client.query("SET lock_timeout = '10s'");
  await client.query('SET default_transaction_read_only = on');
}
