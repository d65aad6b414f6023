import { type ClientBase, escapeIdentifier } from 'pg';
import { splitStatements } from '../migrations/split-statements.js';
import type { Settings } from '../settings/settings.js';
import { ownName } from './own-names.js';

/** Tables of our own schema with what people decided, or what the processor learnt; the rest is made anew. */
const OWN_DATA = ['settings', 'attempt', 'hold'] as const;
export type OwnData = (typeof OWN_DATA)[number];

export function isOwnData(table: string): table is OwnData {
  return (OWN_DATA as readonly string[]).includes(table);
}

/** Those that these recorded rollbacks drop. */
export function ownDataDropped(
  { schema }: Pick<Settings, 'schema'>,
  rollbacks: readonly string[],
): OwnData[] {
  const statements = new Set(rollbacks.flatMap(splitStatements).map(({ text }) => text));
  return OWN_DATA.filter((table) =>
    statements.has(`DROP TABLE ${escapeIdentifier(schema)}.${table}`),
  );
}

/** SQL: whether a row of this table says something that a fresh deployment would not. */
export async function isWorthKeeping(
  work: ClientBase,
  settings: Settings,
  table: OwnData,
): Promise<string> {
  switch (table) {
    case 'attempt':
      return 'true';
    // What a session holds ends with that session.
    case 'hold':
      return 'pid IS NULL';
    case 'settings':
      return differsFromDefaults(work, ownName(settings, table));
  }
}

async function differsFromDefaults(work: ClientBase, table: string): Promise<string> {
  const { rows } = await work.query<{ differs: string }>(
    `SELECT pg_catalog.string_agg(
              pg_catalog.format('%I IS DISTINCT FROM %s', a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)),
              ' OR ') AS differs
       FROM pg_catalog.pg_attrdef AS d
       JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      WHERE d.adrelid = $1::pg_catalog.regclass`,
    [table],
  );
  return rows[0]?.differs ?? 'true';
}
