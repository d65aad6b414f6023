import { type ConnectionUri, ConnectionUriError, parseConnectionUri } from './connection-uri.js';
import type { Environment } from './environment.js';
import { type Found, quoted } from './found.js';
import { sameHost } from './host.js';
import type { Problems } from './problem.js';
import {
  type CatalogueEntry,
  type UriPart,
  type UriVariable,
  VARIABLES,
  type VariableName,
  variable,
} from './variables.js';

export type Lookup = (name: VariableName) => Found | undefined;

/** A URI that is not set is empty; undefined means that it could not be parsed. */
export type ConnectionUris = Readonly<Record<UriVariable, ConnectionUri | undefined>>;

/** The effective value of a variable: its own, its URI's, its fallback's, or its default. */
export function lookupIn(environment: Environment, uris: ConnectionUris): Lookup {
  const lookup: Lookup = (name) => {
    const entry = variable(name);
    return (
      ownValue(environment, entry) ?? uriValue(uris, entry) ?? fallback(entry) ?? defaultOf(entry)
    );
  };
  const fallback = (entry: CatalogueEntry): Found | undefined => {
    const found = entry.fallback && lookup(entry.fallback);
    return found && { ...found, source: `from ${entry.fallback}` };
  };
  return lookup;
}

function ownValue(environment: Environment, { name }: CatalogueEntry): Found | undefined {
  const own = environment.get(name);
  return own && { ...own, place: own.source, origin: name };
}

function uriValue(uris: ConnectionUris, { partOf }: CatalogueEntry): Found | undefined {
  if (partOf === undefined) return undefined;
  const [uri, part] = partOf;
  const value = uris[uri]?.[part];
  return value === undefined ? undefined : fromUri(uri, value);
}

export function fromUri(uri: UriVariable, value: string): Found {
  return { value, source: `from ${uri}`, place: `from ${uri}`, origin: uri };
}

export function fromDefault(origin: VariableName, value: string): Found {
  return { value, source: 'default', place: 'default', origin };
}

function defaultOf(entry: CatalogueEntry): Found | undefined {
  return entry.default === undefined ? undefined : fromDefault(entry.name, entry.default);
}

export function readUris(environment: Environment, problems: Problems): ConnectionUris {
  const uris = {
    DB_URL: readUri('DB_URL', environment, problems),
    PG_CRON_URL: readUri('PG_CRON_URL', environment, problems),
    PG_QUEUE_URL: readUri('PG_QUEUE_URL', environment, problems),
  };
  for (const entry of VARIABLES) refuseDisagreement(entry, environment, uris, problems);
  return uris;
}

const URI_FORM =
  'Write it as postgresql://user:password@host:port/database?sslmode=…, with special characters percent-encoded.';

function readUri(
  name: UriVariable,
  environment: Environment,
  problems: Problems,
): ConnectionUri | undefined {
  const text = environment.get(name)?.value;
  if (text === undefined) return {};
  try {
    return parseConnectionUri(text);
  } catch (error) {
    if (!(error instanceof ConnectionUriError)) throw error;
    return problems.add(name, error.message, [error.remedy, URI_FORM].filter(Boolean).join(' '));
  }
}

function refuseDisagreement(
  entry: CatalogueEntry,
  environment: Environment,
  uris: ConnectionUris,
  problems: Problems,
): void {
  const own = ownValue(environment, entry);
  const other = uriValue(uris, entry);
  if (own === undefined || other === undefined || entry.partOf === undefined) return;
  const [uri, part] = entry.partOf;
  if (agree(part, own.value, other.value)) return;
  problems.add(
    entry.name,
    entry.secret
      ? `is not the password in ${uri}`
      : `${quoted(own)} disagrees with ${uri}, which says ${JSON.stringify(other.value)}`,
    `Unset ${entry.name} or ${uri}, or make them agree.`,
  );
}

function agree(part: UriPart, one: string, other: string): boolean {
  if (part === 'host') return sameHost(one, other);
  if (part === 'port') return Number(one) === Number(other);
  return one === other;
}
