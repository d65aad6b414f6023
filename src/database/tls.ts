import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { ConnectionSettings, SslSettings } from '../settings/settings.js';
import { errorCode, sqlState } from './database-error.js';

export type TlsOptions = ConnectionOptions | false;

/** What to try, one after the other, until an attempt is not refused because of TLS. */
export function tlsAttempts({
  host,
  ssl,
}: ConnectionSettings): readonly [TlsOptions, ...TlsOptions[]] {
  // There is no TLS on a Unix socket; libpq ignores the mode there too.
  if (host.startsWith('/') || ssl.mode === 'disable') return [false];
  const encrypted = tlsOptions(ssl);
  if (ssl.mode === 'allow') return [false, encrypted];
  return ssl.mode === 'prefer' ? [encrypted, false] : [encrypted];
}

// pg passes these to Node, whose defaults are those of verify-full. What libpq calls require and
// verify-ca must be requested explicitly; pg's own parsing of sslmode treats all of them alike.
function tlsOptions(ssl: SslSettings): ConnectionOptions {
  const verifiesChain =
    ssl.mode === 'verify-full' ||
    ssl.mode === 'verify-ca' ||
    (ssl.mode === 'require' && ssl.rootCert !== undefined);
  return {
    rejectUnauthorized: verifiesChain,
    ...(ssl.mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
    ...(verifiesChain && ssl.rootCert !== undefined && { ca: readFileSync(ssl.rootCert) }),
    ...(ssl.cert !== undefined && { cert: readFileSync(ssl.cert) }),
    ...(ssl.key !== undefined && { key: readFileSync(ssl.key) }),
  };
}

export const SERVER_WITHOUT_TLS = 'The server does not support SSL connections';

/** Whether the other kind of connection, encrypted or plain, might succeed. */
export function refusedBecauseOfTls(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // 28000: a line of pg_hba.conf for one kind of connection (hostssl, hostnossl) does not match the other kind.
  if (sqlState(error) !== undefined) return sqlState(error) === '28000';
  const code = errorCode(error) ?? '';
  return (
    error.message === SERVER_WITHOUT_TLS || code === 'EPROTO' || /^ERR_(?:SSL|TLS)_/u.test(code)
  );
}
