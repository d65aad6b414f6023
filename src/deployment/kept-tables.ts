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
