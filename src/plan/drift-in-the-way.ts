import { splitStatements } from '../migrations/split-statements.js';
import { nameOf, sqlTokens } from '../migrations/sql-tokens.js';
import { qualifiedName } from '../objects/identity.js';
import type { NamedDifference } from '../objects/named-difference.js';
import { definedObjects } from './defined-objects.js';

/** Of what differs from what the releases left, that which these scripts would replace, alter or drop. */
export function driftInTheWay(
  differences: readonly NamedDifference[],
  scripts: readonly string[],
): NamedDifference[] {
  if (differences.length === 0) return [];
  const changes = scripts
    .flatMap((sql) => splitStatements(sql))
    .map(({ text }) => changeBy(text))
    .filter((change) => change !== undefined);
  return differences.filter((difference) => changes.some((change) => concerns(change, difference)));
}

/** What a statement that replaces, alters or drops something names. */
interface Change {
  readonly head: string;
  /** Every name in it, but for those in a routine's body, as PostgreSQL keeps them. */
  readonly names: ReadonlySet<string>;
  /** `schema.name` of each routine or view that it replaces or drops. */
  readonly defined: ReadonlySet<string>;
}

const HEAD = /^(?:create or replace|alter|drop)\b/;

function changeBy(statement: string): Change | undefined {
  const tokens = [...sqlTokens(statement)].filter(
    ({ kind }) => kind === 'word' || kind === 'quoted',
  );
  const head = tokens
    .slice(0, 4)
    .map(({ text }) => text.toLowerCase())
    .join(' ');
  if (!HEAD.test(head)) return undefined;
  return {
    head,
    names: new Set(tokens.map(({ text }) => nameOf(text))),
    defined: new Set(definedObjects(statement).map(({ schema, name }) => `${schema}.${name}`)),
  };
}

const DEFINED = new Set(['function', 'procedure', 'aggregate', 'view', 'materialized view']);
const PARTS = new Set(['column', 'constraint', 'index', 'trigger', 'rule', 'policy', 'table']);

// Owners, comments and grants stay as they are when something is replaced.
function concerns({ head, names, defined }: Change, { kind, identity }: NamedDifference): boolean {
  if (DEFINED.has(kind)) {
    const { schema, name } = qualifiedName(identity) ?? {};
    return defined.has(`${schema}.${name}`);
  }
  if (!PARTS.has(kind)) return false;
  const own = namesIn(identity);
  // What is in a table goes with it.
  const needed = head.startsWith('drop table') && kind !== 'index' ? tableOf(kind, own) : own;
  return needed.every((name) => names.has(name));
}

function tableOf(kind: string, names: readonly string[]): readonly string[] {
  return kind === 'column' || kind === 'table' ? names.slice(0, 2) : names.slice(-2);
}

/** The names in `name ON schema.table` or `schema.table.column`, in their order. */
function namesIn(identity: string): string[] {
  return [...sqlTokens(identity)]
    .filter(({ kind, text }) => (kind === 'word' && text !== 'ON') || kind === 'quoted')
    .map(({ text }) => nameOf(text));
}
