import { readFileSync, statSync } from 'node:fs';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { ConnectionSettings } from '../settings/settings.js';

/** The server asks for a password and there is none; pg itself would only say that it is not a string. */
export class MissingPasswordError extends PcacheError {
  override readonly name = 'MissingPasswordError';

  constructor(message: string, remedy?: string) {
    super(message, { remedy });
  }
}

type Target = Pick<ConnectionSettings, 'host' | 'port' | 'user' | 'database'>;

/**
 * The password that libpq would take from the password file.
 *
 * We do not leave this to pg: version 8 warns on stderr when it finds a password there, version 9 no
 * longer reads the file, and neither sees a PGPASSFILE that is set in the .env file.
 */
export function requiredPassword(path: string | undefined, target: Target): string {
  const password = readPrivateFile(path)
    .split(/\r?\n/u)
    .map(fields)
    .find((entry) => matches(entry, target))?.[4];
  return (
    password || missing(`the password file ${path && shown(path)} has no line for this connection`)
  );
}

function missing(reason: string, remedy?: string): never {
  throw new MissingPasswordError(
    `the server asks for a password, none is set, and ${reason}`,
    remedy,
  );
}

function readPrivateFile(path: string | undefined): string {
  if (path === undefined) return missing('there is no password file');
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return missing(`there is no password file ${shown(path)}`);
  if ((stats.mode & 0o077) !== 0) {
    return missing(
      `the password file ${shown(path)} is ignored because others may read it`,
      `Keep others from reading the password file: chmod 600 ${shown(path)}`,
    );
  }
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return missing(`the password file ${shown(path)} can't be read`);
  }
}

/** host:port:database:user:password, where a backslash escapes a colon or a backslash. */
function fields(line: string): string[] {
  if (line.startsWith('#')) return [];
  const parts = line.match(
    /^((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):((?:\\.|[^:\\])*):(.*)$/u,
  );
  return (parts?.slice(1) ?? []).map((part) => part.replace(/\\(.)/gu, '$1'));
}

function matches([host, port, database, user]: string[], target: Target): boolean {
  return (
    hostMatches(host, target.host) &&
    fits(port, String(target.port)) &&
    fits(database, target.database) &&
    fits(user, target.user)
  );
}

function hostMatches(pattern: string | undefined, host: string): boolean {
  // As in libpq, localhost in the file stands for a Unix socket.
  return fits(pattern, host) || (host.startsWith('/') && pattern === 'localhost');
}

function fits(pattern: string | undefined, value: string): boolean {
  return pattern === '*' || pattern === value;
}
