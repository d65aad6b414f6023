import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import type { ConnectionSettings } from '../settings/settings.js';

/** A database with which a connection was tried. */
export type Reached =
  | { readonly client: ClientBase; readonly failure?: never }
  | { readonly client?: never; readonly failure: ConnectionError };

/** Connects for reading, and hands on the failure instead where that is not possible. */
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

/** For checks that need the connection, and so run only when it is there. */
export function clientOf(reached: Reached | undefined): ClientBase {
  if (reached?.client === undefined) {
    throw reached?.failure ?? new Error('A check was run without the connection it needs.');
  }
  return reached.client;
}

// A doctor who waits behind somebody's lock holds up the deployment that waits for the doctor.
async function forbidChanges(client: ClientBase): Promise<void> {
  await client.query("SET lock_timeout = '10s'");
  await client.query('SET default_transaction_read_only = on');
}
