import type { ClientBase } from 'pg';
import { hasRelation, hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { ownName } from './own-names.js';
import { deploymentTables } from './placeholder-values.js';

/** Something that has the name of a table of ours, and is left alone. */
export interface NotOurs {
  readonly table: string;
  /** A sentence without its full stop. */
  readonly reason: string;
}

/** What has the name of the cache table of a partition key. */
export interface CacheTables {
  readonly own: readonly string[];
  readonly others: readonly NotOurs[];
}

/**
 * Whoever may write the metadata can have any name there, so the catalogue decides (routine cache_tables). Within a
 * transaction that holds the metadata.
 */
export async function readCacheTables(work: ClientBase, settings: Settings): Promise<CacheTables> {
  const { schema, clientSchema } = settings;
  const { partitionMetadata } = deploymentTables(settings);
  const isThere =
    (await hasRoutine(work, schema, 'cache_tables')) &&
    (await hasRelation(work, clientSchema, partitionMetadata));
  if (!isThere) return { own: [], others: [] };
  const { rows } = await work.query<{ name: string; why_not: string | null }>(
    `SELECT name, why_not FROM ${ownName(settings, 'cache_tables')}()`,
  );
  return {
    own: rows.filter(({ why_not }) => why_not === null).map(({ name }) => name),
    others: rows.flatMap(({ name, why_not }) =>
      why_not === null ? [] : [{ table: name, reason: why_not }],
    ),
  };
}
