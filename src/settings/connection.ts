import type { Found } from './found.js';
import { parseHost } from './host.js';
import { parseName } from './names.js';
import { parsePort } from './port.js';
import type { Problems } from './problem.js';
import type { ConnectionSettings } from './settings.js';
import { readSsl, type SslReading } from './ssl.js';
import { type UriPart, type UriVariable, type VariableName, variable } from './variables.js';

export interface ConnectionReading extends SslReading {
  readonly passwordFile: string | undefined;
}

export interface ConnectionSource {
  readonly names: Readonly<Record<UriPart, VariableName>>;
  /** Its own URI, then the one it falls back to. */
  readonly uris: readonly UriVariable[];
}

export const WORK: ConnectionSource = {
  names: {
    host: 'DB_HOST',
    port: 'DB_PORT',
    user: 'DB_USER',
    password: 'DB_PASSWORD',
    database: 'DB_NAME',
  },
  uris: ['DB_URL'],
};

export const CRON: ConnectionSource = {
  names: {
    host: 'PG_CRON_HOST',
    port: 'PG_CRON_PORT',
    user: 'PG_CRON_USER',
    password: 'PG_CRON_PASSWORD',
    database: 'PG_CRON_DATABASE',
  },
  uris: ['PG_CRON_URL', 'DB_URL'],
};

export const CLIENT: ConnectionSource = {
  names: {
    host: 'PG_QUEUE_HOST',
    port: 'PG_QUEUE_PORT',
    user: 'PG_QUEUE_USER',
    password: 'PG_QUEUE_PASSWORD',
    database: 'PG_QUEUE_DB',
  },
  uris: ['PG_QUEUE_URL', 'DB_URL'],
};

export function readConnection(
  { names, uris }: ConnectionSource,
  reading: ConnectionReading,
): ConnectionSettings | undefined {
  const part = <T>(
    name: VariableName,
    parse: (found: Found, problems: Problems) => T | undefined,
  ): T | undefined => {
    const found = reading.lookup(name);
    return found === undefined ? refuseUnset(name, reading) : parse(found, reading.problems);
  };
  const host = part(names.host, parseHost);
  const port = part(names.port, parsePort);
  const user = part(names.user, (found, problems) => parseName(found, 'role', problems));
  const database = part(names.database, (found, problems) =>
    parseName(found, 'database', problems),
  );
  const ssl = readSsl(uris, reading);
  if (!host || !port || !user || !database || !ssl) return undefined;
  return {
    host,
    port,
    user,
    password: reading.lookup(names.password)?.value,
    database,
    ssl,
    ...(reading.passwordFile !== undefined && { passwordFile: reading.passwordFile }),
    variables: {
      host: label(names.host, reading),
      port: label(names.port, reading),
      user: label(names.user, reading),
      password: label(names.password, reading),
      database: label(names.database, reading),
    },
  };
}

/** Reports the variable at the end of the fallback chain only: setting that one is enough. */
function refuseUnset(name: VariableName, { uris, problems }: ConnectionReading): undefined {
  const entry = variable(name);
  if (entry.fallback !== undefined) return undefined;
  // A URI that can't be parsed may contain the value; one problem is enough.
  if (entry.partOf !== undefined && uris[entry.partOf[0]] === undefined) return undefined;
  return problems.add(
    name,
    'is not set',
    `Set it (${entry.meaning.replace(/\.$/u, '')}), or give it in ${entry.partOf?.[0]}.`,
  );
}

function label(name: VariableName, { lookup }: ConnectionReading): string {
  const source = lookup(name)?.source;
  return source?.startsWith('from ') ? `${name} (${source})` : name;
}
