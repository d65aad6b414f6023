import { escapeLiteral } from 'pg';
import { columnAlteration } from './alteration.js';
import type { ObjectDifference } from './compare.js';
import { creationOf } from './creation.js';
import { attachment, granteeOf, keyParts } from './identity.js';
import type { RecordedObject } from './record.js';
import { isRenamed, renaming } from './renamed.js';
import { typeAlteration } from './type-alteration.js';
import { isWithheldGrant } from './withheld-grant.js';

/** What puts one object back; `otherwise` where the first way is refused because of what is there now. */
export interface Repair {
  readonly difference: ObjectDifference;
  readonly statements: readonly string[];
  readonly otherwise: readonly string[] | undefined;
}

const ROUTINES = new Set(['function', 'procedure', 'aggregate']);

/** What of a table, or beside it, can be made again where it is missing; what it held is lost before. */
const MADE_ANEW = new Set([
  'extension',
  'type',
  'domain',
  'sequence',
  'table',
  'column',
  'constraint',
  'index',
  'rule',
  'statistics',
]);

/** Undefined for what is left to people: what rows may not allow, and what others made. */
export function repairOf(
  difference: ObjectDifference,
  recorded: ReadonlyMap<string, RecordedObject>,
): Repair | undefined {
  const ways = waysOf(difference, recorded);
  return ways && { difference, statements: ways[0], otherwise: ways[1] };
}

type Ways = readonly [statements: readonly string[], otherwise?: readonly string[]];

function waysOf(
  difference: ObjectDifference,
  recorded: ReadonlyMap<string, RecordedObject>,
): Ways | undefined {
  const { kind, problem, expected, found } = difference;
  // Who may rename a role is no role of ours.
  if (kind === 'role') return undefined;
  if (expected !== undefined && found !== undefined && expected.kind !== found.kind) {
    return undefined;
  }
  if (isRenamed(difference)) return [renaming(difference)];
  if (problem === 'missing' && MADE_ANEW.has(kind)) {
    const made = creationOf(difference, recorded);
    return made && [made];
  }
  if (ROUTINES.has(kind) || kind === 'view') return expected && whole(expected);
  switch (kind) {
    case 'rows':
      return difference.statements && [difference.statements];
    case 'trigger':
      return expected && [trigger(expected)];
    case 'column': {
      const altered = problem === 'changed' ? columnAlteration(difference) : undefined;
      return altered && [altered];
    }
    case 'type': {
      const altered = typeAlteration(difference);
      return altered && [altered];
    }
    case 'comment':
      return [comment(difference)];
    case 'owner':
      return expected && [owner(expected, recorded)];
    case 'grant':
      return isWithheldGrant(difference) ? undefined : [grant(difference, recorded)];
    default:
      return undefined;
  }
}

function whole({ kind, identity, definition }: RecordedObject): Ways {
  const create = definition.replace(/^CREATE AGGREGATE/, 'CREATE OR REPLACE AGGREGATE');
  return [[create], [`DROP ${kind.toUpperCase()} ${identity}`, create]];
}

function trigger({ identity, definition }: RecordedObject): string[] {
  const { name, relation } = attachment(identity);
  const [create = '', state] = definition.split(/\n(?=(?:DISABLE|ENABLE REPLICA|ENABLE ALWAYS)$)/);
  return [
    `DROP TRIGGER IF EXISTS ${identity}`,
    create,
    ...(state === undefined ? [] : [`ALTER TABLE ${relation} ${state} TRIGGER ${name}`]),
  ];
}

function comment({ identity, expected }: ObjectDifference): string[] {
  const object = keyParts(identity);
  const text = expected === undefined ? 'NULL' : escapeLiteral(expected.definition);
  return [`COMMENT ON ${object.kind.toUpperCase()} ${object.identity} IS ${text}`];
}

function owner(
  { identity, definition: role }: RecordedObject,
  recorded: ReadonlyMap<string, RecordedObject>,
): string[] {
  const object = keyParts(identity);
  const alter = `ALTER ${object.kind.toUpperCase()} ${object.identity} OWNER TO ${role}`;
  const schema = [...recorded.values()].find(({ kind }) => kind === 'schema');
  const schemaOwner = schema && recorded.get(`owner schema ${schema.identity}`)?.definition;
  if (schema === undefined || role === schemaOwner || object.kind === 'schema') return [alter];
  // Whoever is not a superuser can give away what is his only to a role that may create where it is.
  const to = `ON SCHEMA ${schema.identity}`;
  return [`GRANT CREATE ${to} TO ${role}`, alter, `REVOKE CREATE ${to} FROM ${role}`];
}

const WITH_OPTION = ' WITH GRANT OPTION';

function grant(
  { identity, expected, found }: ObjectDifference,
  recorded: ReadonlyMap<string, RecordedObject>,
): string[] {
  const key = (expected ?? found)?.parents.at(-1) ?? '';
  const object = keyParts(key);
  const grantee = granteeOf(identity, key);
  const owner = recorded.get(`owner ${key}`)?.definition ?? 'CURRENT_USER';
  const role = grantee === 'its owner' ? owner : grantee;
  const wanted = lines(expected?.definition);
  const there = lines(found?.definition);
  const missing = wanted.filter((line) => !there.includes(line));
  const excess = there.filter((line) => !wanted.includes(line));
  const isPlain = (line: string) => !line.endsWith(WITH_OPTION);
  const bare = (line: string) => line.replace(WITH_OPTION, '');
  return placesOf(object).flatMap(({ on, holds }) => [
    // What its holder passed on goes with it.
    ...revoked(excess.filter(holds).map(bare), on, role),
    ...granted(missing.filter(holds).filter(isPlain).map(bare), on, role, ''),
    ...granted(
      missing.filter((line) => holds(line) && !isPlain(line)).map(bare),
      on,
      role,
      WITH_OPTION,
    ),
  ]);
}

/** What a GRANT names for the lines that it holds: a sequence's columns have privileges as a table's only. */
function placesOf({ kind, identity }: { kind: string; identity: string }) {
  if (kind !== 'sequence') {
    return [{ on: `ON ${grantKeyword(kind)} ${identity}`, holds: () => true }];
  }
  const isOfColumns = (line: string) => line.includes('(');
  return [
    { on: `ON SEQUENCE ${identity}`, holds: (line: string) => !isOfColumns(line) },
    { on: `ON TABLE ${identity}`, holds: isOfColumns },
  ];
}

function revoked(privileges: readonly string[], on: string, role: string) {
  return privileges.length === 0
    ? []
    : [`REVOKE ${privileges.join(', ')} ${on} FROM ${role} CASCADE`];
}

function granted(privileges: readonly string[], on: string, role: string, option: string) {
  return privileges.length === 0
    ? []
    : [`GRANT ${privileges.join(', ')} ${on} TO ${role}${option}`];
}

function lines(definition: string | undefined): string[] {
  return definition === undefined ? [] : definition.split('\n');
}

function grantKeyword(kind: string): string {
  if (ROUTINES.has(kind)) return 'ROUTINE';
  switch (kind) {
    case 'sequence':
    case 'schema':
      return kind.toUpperCase();
    case 'type':
    case 'domain':
      return 'TYPE';
    default:
      return 'TABLE';
  }
}
