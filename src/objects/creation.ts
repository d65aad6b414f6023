import { escapeLiteral } from 'pg';
import type { ObjectDifference } from './compare.js';
import { attachment, columnOf } from './identity.js';
import { keyOf } from './listed-object.js';
import type { RecordedObject } from './record.js';

/** The statements that make again what is missing, without the rows it held; undefined where it takes more than that. */
export function creationOf(
  { kind, identity, expected }: ObjectDifference,
  recorded: ReadonlyMap<string, RecordedObject>,
): readonly string[] | undefined {
  if (expected === undefined) return undefined;
  const { definition } = expected;
  switch (kind) {
    case 'table':
      return definition === 'permanent' ? table(expected, [...recorded.values()]) : undefined;
    case 'column': {
      const { relation, name } = columnOf(identity);
      return [`ALTER TABLE ${relation} ADD COLUMN ${name} ${definition}`];
    }
    case 'constraint': {
      const { name, relation } = attachment(identity);
      return [`ALTER TABLE ${relation} ADD CONSTRAINT ${name} ${definition}`];
    }
    case 'index':
    case 'rule':
    case 'statistics':
      return [definition.replace(/ \(invalid\)$/, '')];
    case 'sequence':
      return [...sequence(expected), ...continuation(expected)];
    case 'extension':
      return [`CREATE EXTENSION ${identity} ${definition}`];
    case 'type':
    case 'domain':
      return [`CREATE ${kind.toUpperCase()} ${identity} ${definition}`];
    default:
      return undefined;
  }
}

/** Its constraints, indexes, triggers and grants are differences of their own, once it is there. */
function table(expected: RecordedObject, recorded: readonly RecordedObject[]): string[] {
  const parts = recorded.filter(({ parents }) => parents[0] === keyOf(expected));
  const columns = parts
    .filter(({ kind }) => kind === 'column')
    .sort((a, b) => a.position - b.position);
  const identities = new Set(
    columns.filter(({ definition }) => definition.includes(' AS IDENTITY')).map(keyOf),
  );
  const sequences = parts.filter(
    ({ kind, parents }) => kind === 'sequence' && !parents.some((key) => identities.has(key)),
  );
  const lines = columns.map(
    ({ identity, definition }) => `  ${columnOf(identity).name} ${definition}`,
  );
  return [
    ...sequences.map((one) => sequence(one)[0] ?? ''),
    `CREATE TABLE ${expected.identity} (\n${lines.join(',\n')}\n)`,
    ...sequences.flatMap((one) => sequence(one).slice(1)),
  ];
}

const OWNED = /\nOWNED BY (?<column>.+)$/;

function sequence({ identity, definition }: RecordedObject): string[] {
  const column = OWNED.exec(definition)?.groups?.column;
  return [
    `CREATE SEQUENCE ${identity} ${definition.replace(OWNED, '')}`,
    ...(column === undefined ? [] : [`ALTER SEQUENCE ${identity} OWNED BY ${column}`]),
  ];
}

/** It goes on where the rows that are there end. */
function continuation({ identity, definition }: RecordedObject): string[] {
  const column = OWNED.exec(definition)?.groups?.column;
  if (column === undefined) return [];
  const { relation, name } = columnOf(column);
  return [
    `SELECT pg_catalog.setval(${escapeLiteral(identity)}::pg_catalog.regclass,
       (SELECT coalesce(max(${name}), 0) + 1 FROM ${relation}), false)`,
  ];
}
