import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { whoElseMadeIt } from '../migrations/who-else-made-it.js';
import { keptSchemaName } from '../settings/kept-schema.js';
import type { Settings } from '../settings/settings.js';

/** Beside the kept tables, in their schema: what each of them is. No table of a deployment can have this name. */
export const KEPT_RECORD = 'kept_table';

/** Rows that `down` kept when it took a table away. */
export interface KeptTable {
  readonly table: string;
  readonly rows: number;
  readonly since: Date;
  /** The releases that were undone with it. */
  readonly releases: readonly number[];
  readonly cacheBackend: string;
}

/** `"schema"."name"` of something in the schema of what is kept. */
export function keptName(settings: Pick<Settings, 'schema'>, name: string): string {
  return `${escapeIdentifier(keptSchemaName(settings.schema))}.${escapeIdentifier(name)}`;
}

/** What is kept of this deployment, by name; nothing where somebody else made what would be read. */
export async function readKept(work: ClientBase, settings: Settings): Promise<KeptTable[]> {
  const schema = keptSchemaName(settings.schema);
  if (!(await hasRelation(work, schema, KEPT_RECORD))) return [];
  const strangers = await whoElseMadeIt(work, schema, [KEPT_RECORD], settings.work.user);
  if (strangers.length > 0) return [];
  const { rows } = await work.query<Omit<KeptTable, 'rows'> & { readonly rows: string }>(
    `SELECT kept.name AS table, kept.rows, kept.kept_at AS since, kept.releases,
            kept.cache_backend AS "cacheBackend"
       FROM ${keptName(settings, KEPT_RECORD)} AS kept
      WHERE kept.name IN (${NAMES})
      ORDER BY kept.name`,
    [schema],
  );
  return rows.map((row) => ({ ...row, rows: Number(row.rows) }));
}

/** What readKept finds, also for a role that may not read there: of its own tables it knows the names. */
export interface KeptSeen {
  readonly table: string;
  /** Null for such a role. */
  readonly rows: number | null;
  readonly cacheBackend?: string;
}

export async function readKeptSeen(work: ClientBase, settings: Settings): Promise<KeptSeen[]> {
  const schema = keptSchemaName(settings.schema);
  if (!(await hasRelation(work, schema, KEPT_RECORD))) return [];
  return (await mayReadRecord(work, schema))
    ? readKept(work, settings)
    : (await readKeptNames(work, settings)).map((table) => ({ table, rows: null }));
}

/** Likewise, with its size. */
export interface KeptSize extends Pick<KeptSeen, 'table' | 'rows'> {
  /** With indexes and what is stored out of line. */
  readonly bytes: number;
}

export async function readKeptSizes(work: ClientBase, settings: Settings): Promise<KeptSize[]> {
  const kept = await readKeptSeen(work, settings);
  if (kept.length === 0) return [];
  const { rows } = await work.query<{ table: string; bytes: string }>(
    `SELECT c.relname AS table, pg_catalog.pg_total_relation_size(c.oid) AS bytes
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1`,
    [keptSchemaName(settings.schema)],
  );
  const bytes = new Map(rows.map((row) => [row.table, Number(row.bytes)]));
  return kept.map(({ table, rows: count }) => ({
    table,
    rows: count,
    bytes: bytes.get(table) ?? 0,
  }));
}

async function mayReadRecord(work: ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await work.query(
    `SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2 AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND pg_catalog.has_table_privilege(c.oid, 'SELECT')`,
    [schema, KEPT_RECORD],
  );
  return rowCount === 1;
}

/** Likewise, for a role that may not read there: the names alone. */
export async function readKeptNames(work: ClientBase, settings: Settings): Promise<string[]> {
  const { rows } = await work.query<{ relname: string }>(
    `SELECT relname FROM (${NAMES}) AS names WHERE relname <> $2 ORDER BY relname`,
    [keptSchemaName(settings.schema), KEPT_RECORD],
  );
  return rows.map(({ relname }) => relname);
}

// Somebody may have dropped or moved one by hand.
const NAMES = `
  SELECT c.relname::text FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind = 'r'`;
