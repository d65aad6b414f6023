import pg from 'pg';
import type { ConnectionSettings } from '../settings/settings.js';
import { connectionFailed, connectionLost } from './connection-error.js';
import { sqlState } from './database-error.js';
import { requiredPassword } from './password-file.js';
import { refusedBecauseOfTls, type TlsOptions, tlsAttempts } from './tls.js';

const CONNECT_TIMEOUT_SECONDS = 10;

/** Connects, hands the client to `use`, and disconnects whatever happens. */
export async function withClient<T>(
  settings: ConnectionSettings,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connect(settings);
  let lost: Error | undefined;
  // Without a listener, losing an idle connection would end the process.
  client.on('error', (error) => {
    lost ??= error;
  });
  try {
    // Our statements must not depend on, or be misled by, a search_path set for the role or database.
    await client.query("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false)");
    return await use(client);
  } catch (error) {
    // The server's last message (for example, that it is shutting down) explains more than the broken socket.
    const reason = isGoodbye(error) ? error : lost;
    throw reason === undefined ? error : connectionLost(settings, reason);
  } finally {
    await client.end();
  }
}

function isGoodbye(error: unknown): boolean {
  return sqlState(error)?.startsWith('57P') === true;
}

async function connect(settings: ConnectionSettings): Promise<pg.Client> {
  try {
    return await firstThatConnects(settings, tlsAttempts(settings));
  } catch (error) {
    throw connectionFailed(settings, error);
  }
}

async function firstThatConnects(
  settings: ConnectionSettings,
  [tls, ...others]: readonly TlsOptions[],
): Promise<pg.Client> {
  try {
    return await connectOnce(settings, tls ?? false);
  } catch (error) {
    if (others.length === 0 || !refusedBecauseOfTls(error)) throw error;
    return await firstThatConnects(settings, others);
  }
}

async function connectOnce(settings: ConnectionSettings, tls: TlsOptions): Promise<pg.Client> {
  const client = new pg.Client({
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    password: settings.password ?? (() => requiredPassword(settings.passwordFile, settings)),
    ssl: tls,
    application_name: 'pcache-migrate',
    connectionTimeoutMillis: CONNECT_TIMEOUT_SECONDS * 1000,
  });
  try {
    await client.connect();
    return client;
  } catch (error) {
    // Not awaited: an attempt that timed out may never see the end of its connection.
    client.on('error', () => {});
    client.end().catch(() => {});
    throw error;
  }
}
