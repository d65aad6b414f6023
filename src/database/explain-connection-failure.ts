import pg from 'pg';
import { shown } from '../errors/shown.js';
import type { ConnectionSettings, ConnectionVariables } from '../settings/settings.js';
import { errorCode, isDatabaseError } from './database-error.js';
import { describeDatabaseError } from './describe-database-error.js';
import { MissingPasswordError } from './password-file.js';
import { SERVER_WITHOUT_TLS } from './tls.js';

// pg gives this error no code.
const TIMEOUT = 'timeout expired';

export interface Explanation {
  what: string;
  remedy: string;
}

const UNNAMED: ConnectionVariables = {
  host: 'the host',
  port: 'the port',
  user: 'the user',
  password: 'the password',
  database: 'the database',
};

export function explainConnectionFailure(
  settings: ConnectionSettings,
  cause: unknown,
): Explanation {
  const names = settings.variables ?? UNNAMED;
  if (isDatabaseError(cause)) return explainRefusal(settings, names, cause.code, cause);
  return explainFailure(settings, names, cause);
}

/** The server answered, and refused the connection. */
function explainRefusal(
  { database, user }: ConnectionSettings,
  names: ConnectionVariables,
  code: string | undefined,
  cause: unknown,
): Explanation {
  const said = describeDatabaseError(cause);
  switch (code) {
    case '28P01':
      return {
        what: said,
        remedy: `Correct ${names.password}, or ${names.user}: the server does not say which is wrong. Whether that role was renamed, pcache-migrate doctor finds out over the other connection.`,
      };
    case '28000':
      return {
        what: said,
        remedy: `Correct ${names.user}, or add a line for this role to the server's pg_hba.conf. Whether that role was renamed, pcache-migrate doctor finds out over the other connection.`,
      };
    case '3D000':
      return {
        what: said,
        remedy: `Correct ${names.database}; if the database was renamed since it was deployed, to its name now, and then run: pcache-migrate adopt. If there was none yet, create it: CREATE DATABASE ${pg.escapeIdentifier(database)};`,
      };
    case '42501':
      return {
        what: said,
        remedy: `As the owner of the database, run: GRANT CONNECT ON DATABASE ${pg.escapeIdentifier(database)} TO ${pg.escapeIdentifier(user)};`,
      };
    case '53300':
      return { what: said, remedy: roomFor(database, user, cause) };
    case '55000':
      return {
        what: said,
        remedy: `As the owner of the database, in another one: ALTER DATABASE ${pg.escapeIdentifier(database)} ALLOW_CONNECTIONS true;`,
      };
    case '57P03':
      return { what: said, remedy: 'The server is starting or stopping: try again in a moment.' };
    default:
      return { what: said, remedy: "See the server's log for the reason." };
  }
}

/** By the function of PostgreSQL's that refused, since the text may be in any language. */
function roomFor(database: string, user: string, cause: unknown): string {
  const routine = isDatabaseError(cause) ? cause.routine : undefined;
  switch (routine) {
    case 'InitializeSessionUserId':
      return `Close connections of that role that are not needed; or as an administrator: ALTER ROLE ${pg.escapeIdentifier(user)} CONNECTION LIMIT -1; -- or one that fits`;
    case 'CheckMyDatabase':
      return `Close connections to that database that are not needed; or as an administrator or its owner: ALTER DATABASE ${pg.escapeIdentifier(database)} CONNECTION LIMIT -1; -- or one that fits`;
    default:
      return 'Close connections that are not needed, or raise max_connections.';
  }
}

/** The server gave no answer, or none that pg understands. */
function explainFailure(
  settings: ConnectionSettings,
  names: ConnectionVariables,
  cause: unknown,
): Explanation {
  const said = describeDatabaseError(cause);
  if (cause instanceof MissingPasswordError) {
    return {
      what: said,
      remedy:
        cause.remedy === undefined
          ? `Set ${names.password} or PGPASSWORD, or add a line to the password file.`
          : `${cause.remedy}\nOr set ${names.password} or PGPASSWORD.`,
    };
  }
  if (cause instanceof Error && cause.message === TIMEOUT) {
    return {
      what: 'no answer within the time limit',
      remedy: `Check ${names.host} and ${names.port}, and whether a firewall blocks the connection.`,
    };
  }
  if (cause instanceof Error && cause.message === SERVER_WITHOUT_TLS) {
    return {
      what: `the server has no TLS, and sslmode is ${settings.ssl.mode}`,
      remedy:
        'Turn on ssl on the server; or, on a network that you trust, set PGSSLMODE (or sslmode in the URI) to prefer.',
    };
  }
  // ENOENT may mean the socket or a certificate file.
  const code = isReadingAFile(cause) ? undefined : errorCode(cause);
  return explainCode(settings, names, code, said);
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function explainCode(
  { host, port, ssl }: ConnectionSettings,
  names: ConnectionVariables,
  code: string | undefined,
  said: string,
): Explanation {
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        what: `the host name "${host}" can't be resolved (${code})`,
        remedy: `Correct ${names.host}.`,
      };
    case 'ECONNREFUSED':
      return {
        what: 'nothing accepts connections there (ECONNREFUSED)',
        remedy: `Check ${names.host} and ${names.port}, that the server is running, and that its listen_addresses include this address.`,
      };
    case 'ENOENT':
      return {
        what: `there is no such socket (${said})`,
        remedy: `Check ${names.host} and ${names.port} (${socketPath(host, port)}), and that the server is running.`,
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return {
        what: `the host can't be reached (${code})`,
        remedy: `Check ${names.host} and ${names.port}, and whether a firewall blocks the connection.`,
      };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return {
        what: `the server's certificate is for another host (${said})`,
        remedy: `Set ${names.host} to a name in the certificate, or use verify-ca with your own authority.`,
      };
  }
  if (code !== undefined && UNTRUSTED.has(code)) {
    return {
      what: `the server's certificate is not trusted: ${said}`,
      remedy: `Set PGSSLROOTCERT (or sslrootcert in the URI) to the authority that signed it${ssl.rootCert === undefined ? '' : `; now it is ${shown(ssl.rootCert)}`}.`,
    };
  }
  return {
    what: said,
    remedy: `Check that ${names.host} and ${names.port} point to a PostgreSQL server, and check the TLS settings.`,
  };
}

function isReadingAFile(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'open';
}

export function socketPath(host: string, port: number): string {
  return `${host}/.s.PGSQL.${port}`;
}
