import type { ClientBase } from 'pg';
import { plainName } from '../text/plain-name.js';
import type { ObjectDifference } from './compare.js';
import type { RecordedObject } from './record.js';

/** In their order. What the record says of its own columns cannot be read once one of them has another name. */
const COLUMNS = {
  recorded_object: [
    'kind',
    'identity',
    'parents',
    'definition',
    'verbatim',
    'position',
    'server_version_num',
  ],
  recording: ['only_row', 'release', 'format', 'digest', 'recorded_at'],
} as const;

/** The columns of the record that have another name, each in the place that it had. */
export async function renamedRecordColumns(
  client: ClientBase,
  schema: string,
): Promise<ObjectDifference[]> {
  const { rows } = await client.query<{ table: keyof typeof COLUMNS; names: string[] }>(
    `SELECT c.relname::text AS table,
            ARRAY(SELECT attname::text FROM pg_catalog.pg_attribute
                   WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS names
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2) ORDER BY 1`,
    [schema, Object.keys(COLUMNS)],
  );
  return rows.flatMap(({ table, names }) =>
    COLUMNS[table].flatMap((name, index) => {
      const now = names[index];
      if (names.includes(name) || now === undefined) return [];
      const relation = `${plainName(schema)}.${table}`;
      return [renamed(`${relation}.${name}`, `${relation}.${plainName(now)}`)];
    }),
  );
}

function renamed(identity: string, now: string): ObjectDifference {
  const kind = 'column';
  const expected: RecordedObject = {
    kind,
    identity,
    parents: [],
    definition: identity,
    verbatim: null,
    position: 0,
    serverVersionNum: 0,
  };
  const found = {
    ...expected,
    identity: now,
    definition: now,
    written: false,
    rewritten: false,
    owner: null,
  };
  return { kind, identity, problem: 'changed', expected, found };
}
