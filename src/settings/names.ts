import { isPrintable } from '../errors/shown.js';
import { type Found, quoted } from './found.js';
import { isKeptSchemaName, KEPT_SUFFIX_BYTES } from './kept-schema.js';
import type { Problems } from './problem.js';

/** NAMEDATALEN - 1: what PostgreSQL keeps of a name. */
export const NAME_MAX_BYTES = 63;

// The longest names that every deployment makes from these prefixes are `<prefix>_original_query_queue`
// and `<prefix>_partition_metadata`; the rest is room for the indexes and constraints on those tables.
export const QUEUE_PREFIX_MAX_BYTES = 40;
export const CACHE_PREFIX_MAX_BYTES = 43;

/** Room for the name of the schema where `down` keeps tables. */
export const OWN_SCHEMA_MAX_BYTES = NAME_MAX_BYTES - KEPT_SUFFIX_BYTES;

const FAULTS: readonly [RegExp, (match: string) => string][] = [
  [/['"`]/u, () => 'has a quote'],
  [/\s/u, () => 'has a space'],
  [/[A-Z]/u, () => 'has upper-case letters'],
  [/-/u, () => 'has a hyphen'],
  [/^[0-9]/u, () => 'starts with a digit'],
  [/[^a-zA-Z0-9_\s'"`-]/u, (character) => `has the character ${JSON.stringify(character)}`],
];

/** A name that PartitionCache's clients write into their SQL unquoted. */
export function parsePlainName(
  found: Found,
  maxBytes: number,
  problems: Problems,
): string | undefined {
  const faults = FAULTS.flatMap(([pattern, describe]) => {
    const match = pattern.exec(found.value);
    return match === null ? [] : [describe(match[0])];
  });
  const bytes = Buffer.byteLength(found.value);
  if (bytes > maxBytes) faults.push(`has ${bytes} bytes, more than the ${maxBytes} allowed`);
  if (faults.length === 0) return found.value;
  return problems.add(
    found.origin,
    `${quoted(found)} ${faults.join(', ')}`,
    `Use at most ${maxBytes} lower-case letters, digits and underscores, not starting with a digit, as in ${plainNameLike(found.value, maxBytes)}.`,
  );
}

function plainNameLike(value: string, maxBytes: number): string {
  const plain = value
    .toLowerCase()
    .replace(/[^a-z0-9_]+/gu, '_')
    .replace(/^_+(?=.)|_+$/gu, '')
    .replace(/^(?=[0-9]|$)/u, '_')
    .slice(0, maxBytes);
  return /[a-z]/u.test(plain) ? plain : 'my_cache';
}

/** What a name that someone else gave belongs to. */
export type NamedKind = 'database' | 'role' | 'schema';

/** The name of a database, role or schema that someone else created: anything that PostgreSQL itself accepts. */
export function parseName(found: Found, kind: NamedKind, problems: Problems): string | undefined {
  const fault = nameFault(found.value) ?? reservedFault(found.value, kind);
  if (fault === undefined) return found.value;
  return problems.add(
    found.origin,
    `the ${kind} ${quoted(found)} ${fault}`,
    `Give the name of a ${kind} that exists, exactly as PostgreSQL lists it.`,
  );
}

function nameFault(name: string): string | undefined {
  // Half of a surrogate pair; in UTF-8 it would become another character.
  if (/\p{Cs}/u.test(name)) return 'has a character that is not Unicode';
  if (!isPrintable(name)) return 'has a control character';
  const bytes = Buffer.byteLength(name);
  if (bytes > NAME_MAX_BYTES) return `has ${bytes} bytes, more than the ${NAME_MAX_BYTES} allowed`;
  return undefined;
}

/** Words that have their meaning to PostgreSQL even within quotes; GRANT … TO "public" is to everybody. */
function reservedFault(name: string, kind: NamedKind): string | undefined {
  switch (kind) {
    case 'database':
      return undefined;
    case 'role':
      if (name === 'public') return 'means every role there is';
      if (name === 'none') return 'means no role at all';
      return name.startsWith('pg_')
        ? "starts with pg_, as only PostgreSQL's own roles do, which cannot log in"
        : undefined;
    case 'schema':
      if (name === '$user') return 'means, in a search_path, the schema named like the role';
      if (name === 'information_schema') return OF_POSTGRESQL;
      return name.startsWith('pg_') ? PG_PREFIX : undefined;
  }
}

const OF_POSTGRESQL = "is PostgreSQL's own schema";
const PG_PREFIX = "starts with pg_, as only PostgreSQL's own schemas may";

const RESERVED_SCHEMAS: ReadonlyMap<string, string> = new Map([
  ['public', 'is the schema every role shares'],
  ['cron', "is pg_cron's own schema"],
  ['information_schema', OF_POSTGRESQL],
]);

export function parseOwnSchema(found: Found, problems: Problems): string | undefined {
  const schema = parsePlainName(found, OWN_SCHEMA_MAX_BYTES, problems);
  if (schema === undefined) return undefined;
  const reserved = reservedOwnSchema(schema);
  if (reserved === undefined) return schema;
  return problems.add(
    found.origin,
    `${quoted(found)} ${reserved}`,
    'Name a schema for this package alone, such as partitioncache.',
  );
}

function reservedOwnSchema(schema: string): string | undefined {
  if (schema.startsWith('pg_')) return PG_PREFIX;
  return isKeptSchemaName(schema)
    ? 'ends like the schemas where down keeps the tables of another one'
    : RESERVED_SCHEMAS.get(schema);
}
