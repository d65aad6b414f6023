import type { ClientBase } from 'pg';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { type KeptTable, keptName } from './kept-tables.js';
import { isOwnData } from './own-data.js';
import { deploymentTables } from './placeholder-values.js';

/** A kept table, as far as what is recorded of it may be read. */
export type KeptPart = Pick<KeptTable, 'table'> & Partial<Pick<KeptTable, 'cacheBackend'>>;

/** What makes sense only together; what others need comes first. */
export function keptTogether<Part extends KeptPart>(
  kept: readonly Part[],
  settings: Settings,
): Part[][] {
  const own = kept.filter(({ table }) => isOwnData(table));
  const cache = kept.filter(({ table }) => isOfCache(settings, table));
  const others = kept.filter((part) => !own.includes(part) && !cache.includes(part));
  return [...[...own, ...others].map((part) => [part]), ...(cache.length > 0 ? [cache] : [])];
}

function isOfCache(settings: Settings, table: string): boolean {
  const { partitionMetadata, queries } = deploymentTables(settings);
  return table === partitionMetadata || table === queries || isCacheTable(settings, table);
}

export function isCacheTable({ tablePrefix }: Settings, table: string): boolean {
  return table.startsWith(`${tablePrefix}_cache_`);
}

/** Why nothing of it is taken back; one that stays keeps the others. */
export async function whyGroupStays<Part extends KeptPart>(
  group: readonly Part[],
  whyStays: (part: Part) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (const part of group) {
    const reason = await whyStays(part);
    if (reason !== undefined) return group.length > 1 ? `${part.table}: ${reason}` : reason;
  }
  return undefined;
}

/** Why a part of the group stays where it is, whatever it holds; `made`: the tables that the run of `up` makes. */
export function whyNotMade(
  settings: Settings,
  { table, cacheBackend = settings.cacheBackend }: KeptPart,
  group: readonly KeptPart[],
  made: readonly string[],
): string | undefined {
  if (isOfCache(settings, table) && cacheBackend !== settings.cacheBackend) {
    return `it is of a cache with backend "${cacheBackend}", and this one has "${settings.cacheBackend}"`;
  }
  // What has this name now, if anything has, is found when the table is moved.
  if (isCacheTable(settings, table) && isListed(settings, group, made)) return undefined;
  return made.includes(table) ? undefined : 'this run of up makes no such table';
}

/** Whether the table that lists the cache tables comes back with them. */
function isListed(settings: Settings, group: readonly KeptPart[], made: readonly string[]) {
  const { partitionMetadata } = deploymentTables(settings);
  return made.includes(partitionMetadata) && group.some(({ table }) => table === partitionMetadata);
}

/** Why the kept configuration does not come back: as the trigger on the configuration would refuse it. */
export async function whyOfAnotherService(
  work: ClientBase,
  settings: Settings,
): Promise<string | undefined> {
  const { tablePrefix, queuePrefix, cacheBackend } = settings;
  const { processorConfig } = deploymentTables(settings);
  const { rows } = await work.query<{ job_name: string }>(
    `SELECT job_name FROM ${keptName(settings, processorConfig)}
      WHERE (table_prefix, queue_prefix, cache_backend) IS DISTINCT FROM ($1, $2, $3)`,
    [tablePrefix, queuePrefix, cacheBackend],
  );
  return rows.length === 0
    ? undefined
    : `processor ${rows.map(({ job_name }) => shown(job_name)).join(', ')} serves another cache than "${tablePrefix}" (${cacheBackend})`;
}
