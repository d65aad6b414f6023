import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConnectionUri } from './connection-uri.js';
import { type Found, quoted } from './found.js';
import { type ConnectionUris, fromDefault, fromUri, type Lookup } from './lookup.js';
import type { Problems } from './problem.js';
import { SSL_MODES, type SslMode, type SslSettings } from './settings.js';
import type { UriVariable, VariableName } from './variables.js';

export interface SslReading {
  readonly uris: ConnectionUris;
  readonly lookup: Lookup;
  readonly problems: Problems;
  readonly cwd: string;
  readonly home: string | undefined;
}

/** Given this word instead of a file name, libpq trusts the authorities that the system trusts. */
const SYSTEM = 'system';

/** A connection's own URI comes first, then those it falls back to, then PGSSL*. */
export function readSsl(
  uriVariables: readonly UriVariable[],
  reading: SslReading,
): SslSettings | undefined {
  const find = (part: keyof ConnectionUri & `ssl${string}`, name: VariableName) =>
    findInUris(uriVariables, part, reading.uris) ?? reading.lookup(name);
  const foundMode = find('sslmode', 'PGSSLMODE');
  const foundRoot =
    find('sslrootcert', 'PGSSLROOTCERT') ?? defaultFile('root.crt', 'PGSSLROOTCERT', reading);
  const foundCert =
    find('sslcert', 'PGSSLCERT') ?? defaultFile('postgresql.crt', 'PGSSLCERT', reading);
  const foundKey = find('sslkey', 'PGSSLKEY') ?? defaultFile('postgresql.key', 'PGSSLKEY', reading);

  const mode = parseMode(foundMode, foundRoot, reading.problems);
  if (mode === undefined) return undefined;
  if (mode === 'disable') return { mode };
  const ssl: SslSettings =
    foundRoot === undefined || foundRoot.value === SYSTEM
      ? { mode }
      : { mode, rootCert: readableFile(foundRoot, reading) };
  if (mode === 'verify-ca' && foundRoot === undefined) refuseVerifyCaAlone(foundMode, reading);
  if (foundCert === undefined && foundKey === undefined) return ssl;
  if (foundCert === undefined || foundKey === undefined) {
    return refuseHalfPair(foundCert, foundKey, reading);
  }
  return {
    ...ssl,
    cert: readableFile(foundCert, reading),
    key: readableFile(foundKey, reading),
  };
}

function findInUris(
  uriVariables: readonly UriVariable[],
  part: keyof ConnectionUri,
  uris: ConnectionUris,
): Found | undefined {
  for (const origin of uriVariables) {
    const value = uris[origin]?.[part];
    if (value !== undefined) return fromUri(origin, value);
  }
  return undefined;
}

function defaultFile(name: string, origin: VariableName, { home }: SslReading): Found | undefined {
  if (home === undefined) return undefined;
  const value = join(home, '.postgresql', name);
  return existsSync(value) ? fromDefault(origin, value) : undefined;
}

function parseMode(
  found: Found | undefined,
  root: Found | undefined,
  problems: Problems,
): SslMode | undefined {
  const mode = SSL_MODES.find((known) => known === found?.value);
  if (found !== undefined && mode === undefined) {
    return problems.add(
      found.origin,
      `the sslmode ${quoted(found)} is unknown`,
      found.value === 'no-verify'
        ? "Use require: that is libpq's name for encryption without verification of the server."
        : `Use one of ${SSL_MODES.join(', ')}.`,
    );
  }
  if (root?.value !== SYSTEM) return mode;
  if (found === undefined || found.source === 'default' || mode === 'verify-full') {
    return 'verify-full';
  }
  return problems.add(
    found.origin,
    `the sslmode ${quoted(found)} is too weak for the root certificates ${quoted(root)}`,
    'Use verify-full, or name a file with your own certificate authorities.',
  );
}

function readableFile(found: Found, { cwd, problems }: SslReading): string | undefined {
  const path = resolve(cwd, found.value);
  try {
    accessSync(path, constants.R_OK);
    if (statSync(path).isFile()) return path;
  } catch {
    // Reported below, like a directory.
  }
  return problems.add(
    found.origin,
    `the file ${quoted(found)} can't be read`,
    'Give the path of a PEM file that this user can read.',
  );
}

function refuseVerifyCaAlone(mode: Found | undefined, { problems }: SslReading): void {
  problems.add(
    mode?.origin ?? 'PGSSLMODE',
    'verify-ca needs a file with the certificate authorities to trust',
    'Set PGSSLROOTCERT (or sslrootcert in the URI), or use verify-full.',
  );
}

function refuseHalfPair(
  cert: Found | undefined,
  key: Found | undefined,
  { problems }: SslReading,
): undefined {
  const [present, missing] = cert ? [cert, 'PGSSLKEY'] : [key, 'PGSSLCERT'];
  return problems.add(
    missing,
    `is not set, but ${present?.origin} names ${present && quoted(present)}`,
    'Set both or neither: a certificate and its key are used together.',
  );
}
