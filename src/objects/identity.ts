import { nameOf } from '../migrations/sql-tokens.js';

const ATTACHED = /^(?<name>"(?:[^"]|"")*"|[^" ]+) (?:ON|OF) (?<relation>.+)$/s;

/** `name ON table`, taken apart. */
export function attachment(identity: string): { name: string; relation: string } {
  const { name = identity, relation = '' } = ATTACHED.exec(identity)?.groups ?? {};
  return { name, relation };
}

const LAST_NAME = /^(?<relation>.*)\.(?<name>"(?:[^"]|"")*"|[^".]+)$/s;

/** `table.column`, taken apart. */
export function columnOf(identity: string): { relation: string; name: string } {
  const { relation = '', name = identity } = LAST_NAME.exec(identity)?.groups ?? {};
  return { relation, name };
}

/** The grantee of a row of kind grant, whose identity is `<object> TO <grantee>`. */
export function granteeOf(identity: string, object: string): string {
  return identity.slice(`${object} TO `.length);
}

/** A key, taken apart: `materialized view s.v` is of the kind `materialized view`. */
export function keyParts(key: string): { kind: string; identity: string } {
  const kind = KINDS.find((one) => key.startsWith(`${one} `)) ?? '';
  return { kind, identity: key.slice(kind.length + 1) };
}

const KINDS = [
  'materialized view',
  'foreign table',
  'child table',
  'schema',
  'table',
  'view',
  'sequence',
  'column',
  'constraint',
  'index',
  'trigger',
  'rule',
  'policy',
  'statistics',
  'function',
  'procedure',
  'aggregate',
  'type',
  'domain',
  'extension',
];

const QUALIFIED = /^(?<schema>"(?:[^"]|"")*"|[^".(]+)\.(?<name>"(?:[^"]|"")*"|[^".(]+)(?:\(|$)/s;

/** Schema and name of a table, view, routine or type, without quotes; undefined for what has no such name. */
export function qualifiedName(identity: string): { schema: string; name: string } | undefined {
  const { schema, name } = QUALIFIED.exec(identity)?.groups ?? {};
  return schema === undefined || name === undefined
    ? undefined
    : { schema: nameOf(schema), name: nameOf(name) };
}
