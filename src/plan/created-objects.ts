import type { Migration } from '../migrations/read-migrations.js';
import { type SqlToken, sqlTokens } from '../migrations/sql-tokens.js';
import { definedObjects, readName, readParentheses, splitAtCommas } from './defined-objects.js';

/** What a migration creates, by a statement of its own. */
export interface CreatedObject {
  readonly kind: 'table' | 'type' | 'view' | 'routine' | 'trigger' | 'column';
  readonly schema: string;
  /** Of a trigger and a column, that of the table or type it belongs to. */
  readonly name: string;
  /** The name of a trigger or column. */
  readonly part?: string;
  readonly migration: string;
  readonly statement: string;
  /** Once all are there: what gives it its rights, comments, indexes and constraints. */
  readonly after: readonly string[];
}

/** What there is when these migrations are applied, and no later one has dropped, in the order in which it was made. */
export function createdObjects(migrations: readonly Migration[]): CreatedObject[] {
  const created = new Map<string, CreatedObject>();
  for (const { name: migration, up } of migrations) {
    for (const { text: statement } of up.statements) {
      for (const { action, ...object } of [...routines(statement), ...others(statement)]) {
        const key = [object.kind, object.schema, object.name, object.part ?? ''].join('\0');
        // What replaces may need what was made since.
        const after = created.get(key)?.after ?? [];
        created.delete(key);
        if (action === 'create') created.set(key, { ...object, migration, statement, after });
        else if (object.part === undefined) deleteParts(created, object);
      }
      const settled = settledBy(statement);
      if (settled.length === 0) continue;
      for (const [key, object] of created) {
        const isSettled =
          object.part === undefined &&
          settled.some(([schema, name]) => schema === object.schema && name === object.name);
        if (isSettled) created.set(key, { ...object, after: [...object.after, statement] });
      }
    }
  }
  return [...created.values()];
}

/** The names of the objects of which it changes something other than their definition or rows. */
function settledBy(statement: string): string[][] {
  const isRight = /^\s*(?:grant|revoke)\b/i.test(statement);
  if (!isRight && !/^\s*(?:comment|alter|create (?:unique )?index)\b/i.test(statement)) return [];
  const tokens = [...sqlTokens(statement)].filter(
    ({ kind }) => kind !== 'space' && kind !== 'comment',
  );
  const named = tokens
    .map((_, index) => readName(tokens, index)?.parts ?? [])
    .filter(({ length }) => length > 1);
  // Rights on several at once may be given again; anything else is of the object that is named first.
  return isRight ? named : named.slice(0, 1);
}

type Step = Pick<CreatedObject, 'kind' | 'schema' | 'name' | 'part'> & {
  readonly action: 'create' | 'drop';
};

/** What a table or type takes along. */
function deleteParts(created: Map<string, CreatedObject>, { schema, name }: WithName): void {
  for (const [key, object] of created) {
    if (object.part !== undefined && object.schema === schema && object.name === name) {
      created.delete(key);
    }
  }
}

type WithName = Pick<CreatedObject, 'schema' | 'name'>;

function routines(statement: string): Step[] {
  return definedObjects(statement).map(({ action, kind, schema, name }) => ({
    action,
    kind,
    schema,
    name,
  }));
}

/** Tables and types with their columns, and triggers. */
function others(statement: string): Step[] {
  const tokens = [...sqlTokens(statement)].filter(
    ({ kind }) => kind !== 'space' && kind !== 'comment',
  );
  const [action, kind, ...rest] = tokens.slice(0, 3).map(({ text }) => text.toLowerCase());
  if (action !== 'create' && action !== 'drop') return [];
  if (kind === 'table' || kind === 'type') return withColumns(action, kind, tokens);
  const isConstraint = kind === 'constraint' && rest[0] === 'trigger';
  if (kind !== 'trigger' && !isConstraint) return [];
  return trigger(action, tokens, isConstraint ? 3 : 2);
}

function withColumns(
  action: Step['action'],
  kind: 'table' | 'type',
  tokens: readonly SqlToken[],
): Step[] {
  const start = tokens.findIndex(
    ({ text }, index) => index > 1 && !/^(?:if|not|exists)$/i.test(text),
  );
  const read = readName(tokens, start);
  const [schema, name] = read?.parts ?? [];
  if (read === undefined || schema === undefined || name === undefined) return [];
  const opens = tokens[read.next]?.text.toLowerCase() === 'as' ? read.next + 1 : read.next;
  const columns = splitAtCommas(readParentheses(tokens, opens)?.inside ?? []).flatMap(columnOf);
  return [
    { action, kind, schema, name },
    ...columns.map((part) => ({ action, kind: 'column' as const, schema, name, part })),
  ];
}

const NO_COLUMN = /^(?:constraint|primary|unique|check|foreign|exclude|like)$/i;

function columnOf(tokens: readonly SqlToken[]): string[] {
  const [first] = tokens;
  if (first === undefined || NO_COLUMN.test(first.text)) return [];
  return readName(tokens, 0)?.parts ?? [];
}

function trigger(action: Step['action'], tokens: readonly SqlToken[], from: number): Step[] {
  const [part] = readName(tokens, from)?.parts ?? [];
  const on = tokens.findIndex(({ text }) => text.toLowerCase() === 'on');
  const [schema, name] = (on < 0 ? undefined : readName(tokens, on + 1))?.parts ?? [];
  if (part === undefined || schema === undefined || name === undefined) return [];
  return [{ action, kind: 'trigger', schema, name, part }];
}
