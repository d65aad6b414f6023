import type { ClientBase } from 'pg';
import type { ConnectionSettings } from '../settings/settings.js';
import { type Begun, withClient } from './connect.js';
import { ConnectionError } from './connection-error.js';

/** A database that we tried to connect to. */
export type Reached =
  | { readonly client: ClientBase; readonly failure?: never }
  | { readonly client?: never; readonly failure: ConnectionError };

/** Connects; if that fails, passes the failure to `use` instead. A connection that is lost later is an error. */
export async function withClientIfReachable<T>(
  settings: ConnectionSettings,
  use: (reached: Reached) => Promise<T>,
  begun?: Begun,
): Promise<T> {
  let connected = false;
  try {
    return await withClient(
      settings,
      async (client) => {
        connected = true;
        return use({ client });
      },
      begun,
    );
  } catch (error) {
    if (connected || !(error instanceof ConnectionError)) throw error;
    return use({ failure: error });
  }
}
