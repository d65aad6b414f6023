import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { type CacheTables, readCacheTables } from '../deployment/cache-tables.js';
import { isWorthKeeping, type OwnData } from '../deployment/own-data.js';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import type { Settings } from '../settings/settings.js';

export interface TableAtStake {
  readonly table: string;
  readonly rows: number;
}

/** What a rollback drops, as far as somebody might miss it. */
export interface DroppedTables {
  /** In the clients' schema, by name; what lists the cache tables stands for these too. */
  readonly clients: readonly string[];
  /** In ours. */
  readonly own: readonly OwnData[];
}

/** Those tables of the clients' schema that exist, with the rows they hold. */
export async function dataAtStake(
  work: ClientBase,
  settings: Settings,
  dropped: readonly string[],
): Promise<TableAtStake[]> {
  const tables: TableAtStake[] = [];
  for (const table of await existingOf(work, settings, dropped)) {
    const { rows } = await withOwnTables(work, settings, 'read', [table], () =>
      work.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${clientName(settings, table)}`),
    );
    tables.push({ table, rows: Number(rows[0]?.rows) });
  }
  return tables;
}

/** Those tables of our own schema that exist, with the rows that a fresh deployment would not have. */
export async function ownDataAtStake(
  work: ClientBase,
  settings: Settings,
  dropped: readonly OwnData[],
): Promise<(TableAtStake & { readonly table: OwnData; readonly worth: string })[]> {
  const found = [];
  for (const table of dropped) {
    if (!(await hasRelation(work, settings.schema, table))) continue;
    const worth = await isWorthKeeping(work, settings, table);
    const { rows } = await work.query<{ rows: string }>(
      `SELECT count(*) AS rows FROM ${ownName(settings, table)} WHERE ${worth}`,
    );
    found.push({ table, rows: Number(rows[0]?.rows), worth });
  }
  return found;
}

async function existingOf(
  work: ClientBase,
  settings: Settings,
  dropped: readonly string[],
): Promise<string[]> {
  const { own } = await cacheTablesAmong(work, settings, dropped);
  return existingTables(work, settings, [...dropped, ...own]);
}

/** The cache tables go with the table that lists them. */
export function cacheTablesAmong(
  work: ClientBase,
  settings: Settings,
  dropped: readonly string[],
): Promise<CacheTables> {
  const { partitionMetadata } = deploymentTables(settings);
  if (!dropped.includes(partitionMetadata)) return Promise.resolve({ own: [], others: [] });
  return withOwnTables(work, settings, 'read', [partitionMetadata], () =>
    readCacheTables(work, settings),
  );
}

/** Of these names, in their order, those that something in the clients' schema has. */
export async function existingTables(
  work: ClientBase,
  settings: Settings,
  names: readonly string[],
): Promise<string[]> {
  const { rows } = await work.query<{ relname: string }>(
    'SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = $1::pg_catalog.regnamespace AND relname = ANY ($2)',
    [escapeIdentifier(settings.clientSchema), names],
  );
  const existing = new Set(rows.map(({ relname }) => relname));
  return names.filter((name) => existing.has(name));
}
