import { type ClientBase, escapeIdentifier } from 'pg';
import { digestOf } from './digest.js';
import type { ListedObject } from './listed-object.js';

/** To be raised when the listing says the same in other words. */
export const FORMAT = 1;

export interface RecordedObject
  extends Pick<
    ListedObject,
    'kind' | 'identity' | 'parents' | 'definition' | 'verbatim' | 'position'
  > {
  /** Of the server that printed the definition. */
  readonly serverVersionNum: number;
}

export interface RecordHead {
  readonly release: number;
  readonly format: number;
  readonly digest: string;
  readonly recordedAt: Date;
}

export const RECORD_TABLES = ['recorded_object', 'recording'] as const;

/** What is known of the record without reading it. */
export interface RecordState {
  readonly exists: boolean;
  /** Plain tables, of PostgreSQL's own types: reading them runs nobody's code. */
  readonly isPlain: boolean;
  readonly isReadable: boolean;
}

export async function recordState(client: ClientBase, schema: string): Promise<RecordState> {
  const { rows } = await client.query<{ plain: boolean; readable: boolean }>(
    `SELECT c.relkind = 'r' AND NOT c.relrowsecurity AND NOT c.relhassubclass AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_attribute AS a
              JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace) AS plain,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
       FROM pg_catalog.pg_class AS c
       JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2)`,
    [schema, RECORD_TABLES],
  );
  return {
    exists: rows.length === RECORD_TABLES.length,
    isPlain: rows.every(({ plain }) => plain),
    isReadable: rows.every(({ readable }) => readable),
  };
}

export function recordTable(schema: string, table: (typeof RECORD_TABLES)[number]): string {
  return `${escapeIdentifier(schema)}.${table}`;
}

/** What stands for itself; whatever else is recorded is part of one of these. */
const ROOTS = new Set([
  'table',
  'view',
  'materialized view',
  'sequence',
  'foreign table',
  'function',
  'procedure',
  'aggregate',
  'type',
  'domain',
  'extension',
]);

/** What the releases recorded, but for the objects; undefined when none did. */
export async function readRecordHead(
  client: ClientBase,
  schema: string,
): Promise<RecordHead | undefined> {
  const { rows } = await client.query<RecordHead>(
    `SELECT release, format, digest, recorded_at AS "recordedAt"
       FROM ${recordTable(schema, 'recording')}`,
  );
  return rows[0];
}

/** SQL for the digest of what is recorded. */
export function recordDigest(schema: string): string {
  return digestOf(`SELECT * FROM ${recordTable(schema, 'recorded_object')}`);
}

/** Whether the record is as the last release wrote it. */
export async function isIntact(
  client: ClientBase,
  schema: string,
  { digest }: RecordHead,
): Promise<boolean> {
  const { rows } = await client.query<{ digest: string }>(recordDigest(schema));
  return rows[0]?.digest === digest;
}

/** The identities of what is recorded, but not of what is part of something else. */
export async function readRoots(client: ClientBase, schema: string): Promise<string[]> {
  const { rows } = await client.query<{ identity: string }>(
    `SELECT identity FROM ${recordTable(schema, 'recorded_object')} WHERE kind = ANY ($1)`,
    [[...ROOTS]],
  );
  return rows.map(({ identity }) => identity);
}

export async function readRecordedObjects(
  client: ClientBase,
  schema: string,
): Promise<RecordedObject[]> {
  const { rows } = await client.query<Omit<RecordedObject, 'position'> & { position: string }>(
    `SELECT kind, identity, parents, definition, verbatim, position,
            server_version_num AS "serverVersionNum"
       FROM ${recordTable(schema, 'recorded_object')}`,
  );
  return rows.map((row) => ({ ...row, position: Number(row.position) }));
}

export async function serverVersion(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ version: number }>(
    "SELECT pg_catalog.current_setting('server_version_num')::integer AS version",
  );
  return rows[0]?.version ?? 0;
}
