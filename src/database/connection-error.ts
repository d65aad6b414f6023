import { PcacheError } from '../errors/pcache-error.js';
import type { ConnectionSettings } from '../settings/settings.js';
import { describeDatabaseError } from './describe-database-error.js';
import { explainConnectionFailure, socketPath } from './explain-connection-failure.js';

export class ConnectionError extends PcacheError {
  override readonly name = 'ConnectionError';
  declare readonly remedy: string;
  /** Whether there was a connection: then what was done over it is to be found out. */
  readonly wasLost: boolean;

  constructor(
    message: string,
    remedy: string,
    { cause, wasLost }: { cause: unknown; wasLost: boolean },
  ) {
    super(message, { remedy, cause });
    this.wasLost = wasLost;
  }
}

export function connectionFailed(settings: ConnectionSettings, cause: unknown): ConnectionError {
  const { what, remedy } = explainConnectionFailure(settings, cause);
  return new ConnectionError(`can't connect to ${target(settings)}: ${what}`, remedy, {
    cause,
    wasLost: false,
  });
}

export function connectionLost(settings: ConnectionSettings, cause: unknown): ConnectionError {
  return new ConnectionError(
    `lost the connection to ${target(settings)}: ${describeDatabaseError(cause)}`,
    "See the server's log for the reason; when it is up again, repeat the command.",
    { cause, wasLost: true },
  );
}

function target({ host, port, database, user }: ConnectionSettings): string {
  const address = host.startsWith('/') ? socketPath(host, port) : hostAndPort(host, port);
  return `database "${database}" on ${address} as user "${user}"`;
}

function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
