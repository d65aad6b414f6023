import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
/** A connection URI as libpq reads it; a part that the URI leaves out is undefined. */
export interface ConnectionUri {
  readonly host?: string;
  readonly port?: string;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly sslmode?: string;
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
}

type UriDraft = { -readonly [Part in keyof ConnectionUri]: ConnectionUri[Part] };

export class ConnectionUriError extends PcacheError {
  override readonly name = 'ConnectionUriError';

  constructor(message: string, remedy?: string) {
    super(message, { remedy, exitCode: EXIT_CODES.usage });
  }
}

const PARAMETERS: ReadonlyMap<string, keyof ConnectionUri> = new Map([
  ['host', 'host'],
  ['port', 'port'],
  ['user', 'user'],
  ['password', 'password'],
  ['dbname', 'database'],
  ['sslmode', 'sslmode'],
  ['sslrootcert', 'sslrootcert'],
  ['sslcert', 'sslcert'],
  ['sslkey', 'sslkey'],
]);

// Other tools often use the same URI. These parameters change neither which server is reached nor how
// securely, so they are accepted; any other parameter would silently have no effect.
const WITHOUT_EFFECT_HERE: ReadonlySet<string> = new Set([
  'application_name',
  'fallback_application_name',
  'client_encoding',
  'connect_timeout',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'uselibpqcompat',
]);

// We don't use `new URL`: it rejects an empty host after a user name and cuts a password at `#`; libpq
// does neither. Nor pg-connection-string: it opens the certificate files and ignores unknown parameters.
const URI =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^@/:]*)(?::(?<password>[^@/]*))?@)?(?<host>\[[^\]]*\]|[^:/?]*)(?::(?<port>[^/?]*))?(?:\/(?<database>[^?]*))?(?:\?(?<parameters>.*))?$/su;

/** Throws a ConnectionUriError, which never quotes the URI: it may hold a password. */
export function parseConnectionUri(text: string): ConnectionUri {
  const groups = URI.exec(text)?.groups;
  if (groups === undefined) {
    throw new ConnectionUriError('is not a URI of the form postgresql://user@host:port/database');
  }
  refuseStrayAt(groups);
  if (`${groups.host}${groups.port}`.includes(',')) {
    throw new ConnectionUriError('names several hosts', 'Name the one to write to.');
  }
  const uri: UriDraft = {};
  set(uri, 'user', groups.user);
  set(uri, 'password', groups.password);
  set(uri, 'host', groups.host?.replace(/^\[(.*)\]$/, '$1'));
  set(uri, 'port', groups.port);
  set(uri, 'database', groups.database);
  for (const [name, value] of parameters(groups.parameters)) setParameter(uri, name, value);
  return uri;
}

/**
 * An `@` anywhere but after the user name and password means that one of them contains a character that
 * ends it too early. A later message about the port or host would then quote part of the password.
 */
function refuseStrayAt({ user, host, port, database, parameters }: Record<string, string>): void {
  const suspects = [host, port, database, user === undefined ? parameters : undefined];
  if (suspects.some((part) => part?.includes('@'))) {
    throw new ConnectionUriError(
      'has an unescaped @ or / in a name or password',
      'Write @ as %40 and / as %2F.',
    );
  }
}

function parameters(text: string | undefined): [string, string][] {
  if (text === undefined || text === '') return [];
  return text.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 0) throw new ConnectionUriError('has a parameter without a value');
    return [decode(pair.slice(0, equals)), pair.slice(equals + 1)];
  });
}

function setParameter(uri: UriDraft, name: string, value: string): void {
  const part = PARAMETERS.get(name);
  if (part !== undefined) {
    set(uri, part, value);
  } else if (name === 'ssl' && value === 'true') {
    // The one JDBC spelling that libpq accepts.
    set(uri, 'sslmode', 'require');
  } else if (!WITHOUT_EFFECT_HERE.has(name)) {
    throw new ConnectionUriError(
      `has the parameter ${JSON.stringify(name)}, which is not one of ${[...PARAMETERS.keys()].join(', ')}`,
    );
  }
}

function set(uri: UriDraft, part: keyof ConnectionUri, encoded: string | undefined): void {
  if (encoded !== undefined && encoded !== '') uri[part] = decode(encoded);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ConnectionUriError('has a % that is not followed by two hexadecimal digits of UTF-8');
  }
}

export const MASK = '********';

export function maskConnectionUri(text: string): string {
  try {
    if (parseConnectionUri(text).password === undefined) return text;
  } catch {
    // We can't tell where the password is, so we show none of the text.
    return MASK;
  }
  return text
    .replace(/^([^:]+:\/\/[^@/:]*):[^@/]*@/u, `$1:${MASK}@`)
    .replace(/([?&])([^=&]*)=[^&]*/gu, (parameter, separator: string, name: string) =>
      decode(name) === 'password' ? `${separator}${name}=${MASK}` : parameter,
    );
}
