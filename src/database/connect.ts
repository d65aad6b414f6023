import pg, { type ClientBase } from 'pg';
import type { ConnectionSettings } from '../settings/settings.js';
import { connectionFailed, connectionLost } from './connection-error.js';
import { endsConnection, isDatabaseError } from './database-error.js';
import { type End, whileEndable } from './endable-work.js';
import { requiredPassword } from './password-file.js';
import { asReadOnlyDatabase } from './read-only-database.js';
import { StatementRefusedError } from './statement-refused-error.js';
import { refusedBecauseOfTls, type TlsOptions, tlsAttempts } from './tls.js';

const CONNECT_TIMEOUT_SECONDS = 10;

/** And has us notice a silent network, instead of waiting for ever for an answer. */
const KEEP_ALIVE_MS = 30_000;

/** Of each client, how it is connected. */
const settingsOf = new WeakMap<ClientBase, ConnectionSettings>();

/** Over which connection the server refused something. */
const refusedOn = new WeakMap<Error, ConnectionSettings>();

/** A connection that is being made before it is asked for. */
export interface Begun {
  /** Whoever takes it ends it. */
  readonly take: () => Promise<pg.Client>;
}

/** Connects while `use` does something else first. What `use` has not taken when it ends is ended here. */
export async function whileConnecting<T>(
  settings: ConnectionSettings,
  use: (begun: Begun) => Promise<T>,
): Promise<T> {
  const connecting = connect(settings);
  let isTaken = false;
  // Who takes it hears of a failure, and of a loss by the first statement.
  connecting.then(
    (client) => client.on('error', () => {}),
    () => {},
  );
  try {
    return await use({
      take: () => {
        isTaken = true;
        return connecting;
      },
    });
  } finally {
    // Not awaited: another failure need not wait until this attempt times out.
    if (!isTaken) connecting.then((client) => client.end()).catch(() => {});
  }
}

/**
 * Connects, unless that was begun, hands the client to `use`, and disconnects whatever happens. Raises
 * StatementRefusedError for what the server refuses meanwhile over this connection.
 */
export async function withClient<T>(
  settings: ConnectionSettings,
  use: (client: pg.Client) => Promise<T>,
  begun?: Begun,
): Promise<T> {
  const client = await (begun === undefined ? connect(settings) : begun.take());
  settingsOf.set(client, settings);
  let lost: Error | undefined;
  client.connection.on('errorMessage', (error: Error) => refusedOn.set(error, settings));
  // Without a listener, losing an idle connection would end the process.
  client.on('error', (error) => {
    lost ??= error;
  });
  try {
    // Our statements must not depend on, or be misled by, a search_path set for the role or database.
    // And the server is to end what a client that is gone has left running, and to release its locks: in seconds
    // where the connection was closed (PostgreSQL 14 or later), in a minute where the network is silent. By itself it
    // does when the statement under way has ended, or in two hours.
    const { rows } = await client.query<{ pid: number }>(
      `SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
              pg_catalog.pg_backend_pid() AS pid,
              (SELECT pg_catalog.count(pg_catalog.set_config(name, value, false))
                 FROM (VALUES ('client_connection_check_interval', '5s'),
                              ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'),
                              ('tcp_keepalives_count', '3')) AS wanted (name, value)
                WHERE pg_catalog.version() LIKE '%linux%'
                  AND pg_catalog.current_setting(name, true) IS NOT NULL) AS noticing`,
    );
    const end = sessionEnder(settings, client, rows[0]?.pid);
    return await whileEndable(end, () => use(client));
  } catch (error) {
    // The server's last message (for example, that it is shutting down) explains more than the broken socket.
    const reason = endsConnection(error) ? error : lost;
    if (reason !== undefined) throw connectionLost(settings, reason);
    throw refused(await asReadOnlyDatabase(client, settings, error), settings);
  } finally {
    await client.end();
  }
}

/** A second connection, to where this client is; nothing where it is none of ours. */
export async function withClientBeside(
  client: ClientBase,
  use: (other: pg.Client) => Promise<void>,
): Promise<void> {
  const settings = settingsOf.get(client);
  if (settings !== undefined) await withClient(settings, use);
}

/** What another connection was refused meanwhile passes by, too. */
function refused(error: unknown, settings: ConnectionSettings): unknown {
  return isDatabaseError(error) && refusedOn.get(error) === settings
    ? new StatementRefusedError(settings, error)
    : error;
}

/**
 * A server does not notice that its client has gone before the statement under way has ended, so it is told over
 * another connection. Terminated, not cancelled: between two statements there is nothing to cancel.
 */
function sessionEnder(
  settings: ConnectionSettings,
  client: pg.Client,
  pid: number | undefined,
): End {
  // The server closes the connection last, when it has rolled back and released all locks.
  const gone = new Promise<void>((resolve) => client.once('end', resolve));
  return async () => {
    const other = await connect(settings);
    try {
      await other.query('SELECT pg_catalog.pg_terminate_backend($1)', [pid]);
    } finally {
      await other.end();
    }
    await gone;
  };
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
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
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
