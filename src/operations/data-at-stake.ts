import { type ClientBase, escapeIdentifier } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import type { Migration } from '../migrations/read-migrations.js';
import type { Settings } from '../settings/settings.js';

export interface TableAtStake {
  readonly table: string;
  readonly rows: number;
}

/** The tables that the rollback of these migrations drops, with the rows they hold. */
export async function dataAtStake(
  work: ClientBase,
  settings: Settings,
  migrations: readonly Migration[],
): Promise<TableAtStake[]> {
  const tables: TableAtStake[] = [];
  for (const table of await tablesDropped(work, settings, migrations)) {
    const { rows } = await withOwnTables(work, settings, 'read', [table], () =>
      work.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${clientName(settings, table)}`),
    );
    tables.push({ table, rows: Number(rows[0]?.rows) });
  }
  return tables;
}

async function tablesDropped(
  work: ClientBase,
  settings: Settings,
  migrations: readonly Migration[],
): Promise<string[]> {
  const names = migrations.flatMap(({ drops }) => drops);
  const { partitionMetadata } = deploymentTables(settings);
  // The cache tables go with the table that lists them.
  if (names.includes(partitionMetadata)) names.push(...(await cacheTables(work, settings)));
  const existing = await existingTables(work, settings, names);
  return names.filter((name) => existing.has(name));
}

async function cacheTables(work: ClientBase, settings: Settings): Promise<string[]> {
  const { partitionMetadata } = deploymentTables(settings);
  if (!(await existingTables(work, settings, [partitionMetadata])).has(partitionMetadata))
    return [];
  const { rows } = await withOwnTables(work, settings, 'read', [partitionMetadata], () =>
    work.query<{ partition_key: string }>(
      `SELECT partition_key FROM ${clientName(settings, partitionMetadata)} ORDER BY partition_key`,
    ),
  );
  return rows.map(({ partition_key }) => `${settings.tablePrefix}_cache_${partition_key}`);
}

async function existingTables(
  work: ClientBase,
  settings: Settings,
  names: readonly string[],
): Promise<Set<string>> {
  const { rows } = await work.query<{ relname: string }>(
    'SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = $1::pg_catalog.regnamespace AND relname = ANY ($2)',
    [escapeIdentifier(settings.clientSchema), names],
  );
  return new Set(rows.map(({ relname }) => relname));
}
