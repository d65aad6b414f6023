import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { KEPT_RECORD, type KeptTable, keptName, readKept } from '../deployment/kept-tables.js';
import { isOwnData } from '../deployment/own-data.js';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { holdOwnTables } from '../deployment/with-own-tables.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { copyBack, nameAfterwards } from './copy-back.js';
import { existingTables, type TableAtStake } from './data-at-stake.js';
import { dropRoom } from './drop-kept.js';
import { giveGrantsBack, type TableGrant } from './kept-grants.js';
import { misfit } from './misfit.js';

/** What `down` has kept and `up` could not take back. */
export interface StillKept extends TableAtStake {
  readonly since: Date;
  /** Why it was not taken back. */
  readonly reason: string;
}

export interface TakenBack {
  readonly taken: readonly TableAtStake[];
  readonly left: readonly StillKept[];
}

/** Within the transaction of a release: runs it, and puts back what was kept of the tables that it makes. */
export async function takingBack(
  work: ClientBase,
  settings: Settings,
  migrate: () => Promise<readonly string[]>,
): Promise<{ readonly names: readonly string[] } & TakenBack> {
  const kept = await readKept(work, settings);
  const before = await thoseThere(work, settings, kept);
  const names = await migrate();
  if (kept.length === 0) return { names, taken: [], left: [] };
  const made = (await thoseThere(work, settings, kept)).filter((name) => !before.includes(name));
  const taken: TableAtStake[] = [];
  const left: StillKept[] = [];
  for (const group of groupsOf(kept, settings)) {
    const reason = await takeBack(work, settings, group, made);
    for (const { table, rows, since } of group) {
      if (reason === undefined) taken.push({ table, rows });
      else left.push({ table, rows, since, reason });
    }
  }
  if (left.length === 0) await dropRoom(work, settings);
  return { names, taken, left };
}

/** What makes sense only together; what others need comes first. */
function groupsOf(kept: readonly KeptTable[], settings: Settings): KeptTable[][] {
  const own = kept.filter(({ table }) => isOwnData(table));
  const cache = kept.filter(({ table }) => isOfCache(settings, table));
  const others = kept.filter((table) => !own.includes(table) && !cache.includes(table));
  return [...[...own, ...others].map((table) => [table]), ...(cache.length > 0 ? [cache] : [])];
}

function isOfCache(settings: Settings, table: string): boolean {
  const { partitionMetadata, queries } = deploymentTables(settings);
  return table === partitionMetadata || table === queries || isCacheTable(settings, table);
}

function isCacheTable({ tablePrefix }: Settings, table: string): boolean {
  return table.startsWith(`${tablePrefix}_cache_`);
}

async function thoseThere(
  work: ClientBase,
  settings: Settings,
  kept: readonly KeptTable[],
): Promise<string[]> {
  const clients = kept.map(({ table }) => table).filter((table) => !isOwnData(table));
  const there = await existingTables(work, settings, clients);
  for (const { table } of kept) {
    if (isOwnData(table) && (await hasRelation(work, settings.schema, table))) there.push(table);
  }
  return there;
}

/** All of the group or nothing; returns why nothing. */
async function takeBack(
  work: ClientBase,
  settings: Settings,
  group: readonly KeptTable[],
  made: readonly string[],
): Promise<string | undefined> {
  const listed = isListed(settings, group, made);
  for (const kept of group) {
    const reason = await whyNot(work, settings, kept, made, listed);
    if (reason !== undefined) return group.length > 1 ? `${kept.table}: ${reason}` : reason;
  }
  await work.query('SAVEPOINT take_back');
  try {
    for (const { table } of group) {
      await (isCacheTable(settings, table) ? moveBack : copyBack)(work, settings, table);
    }
    await work.query(`DELETE FROM ${keptName(settings, KEPT_RECORD)} WHERE name = ANY ($1)`, [
      group.map(({ table }) => table),
    ]);
    await work.query('RELEASE SAVEPOINT take_back');
    return undefined;
  } catch (error) {
    if (!isMisfit(error)) throw error;
    await work.query('ROLLBACK TO SAVEPOINT take_back');
    return describeDatabaseError(error);
  }
}

/** Whether the table that lists the cache tables comes back with them. */
function isListed(settings: Settings, group: readonly KeptTable[], made: readonly string[]) {
  const { partitionMetadata } = deploymentTables(settings);
  return made.includes(partitionMetadata) && group.some(({ table }) => table === partitionMetadata);
}

async function whyNot(
  work: ClientBase,
  settings: Settings,
  { table, cacheBackend }: KeptTable,
  made: readonly string[],
  isListed: boolean,
): Promise<string | undefined> {
  if (isOfCache(settings, table) && cacheBackend !== settings.cacheBackend) {
    return `it is of a cache with backend "${cacheBackend}", and this one has "${settings.cacheBackend}"`;
  }
  // What has this name now, if anything has, is found when the table is moved.
  if (isCacheTable(settings, table) && isListed) return undefined;
  if (!made.includes(table)) return 'this run of up has not made such a table';
  return (
    (await misfit(work, keptName(settings, table), nameAfterwards(settings, table))) ??
    (table === deploymentTables(settings).processorConfig
      ? ofAnotherService(work, settings, table)
      : undefined)
  );
}

/** As the trigger on the configuration would refuse it. */
async function ofAnotherService(
  work: ClientBase,
  settings: Settings,
  table: string,
): Promise<string | undefined> {
  const { tablePrefix, queuePrefix, cacheBackend } = settings;
  const { rows } = await work.query<{ job_name: string }>(
    `SELECT job_name FROM ${keptName(settings, table)}
      WHERE (table_prefix, queue_prefix, cache_backend) IS DISTINCT FROM ($1, $2, $3)`,
    [tablePrefix, queuePrefix, cacheBackend],
  );
  return rows.length === 0
    ? undefined
    : `processor ${rows.map(({ job_name }) => shown(job_name)).join(', ')} serves another cache than "${tablePrefix}" (${cacheBackend})`;
}

// Not a lock that could not be had, a cancellation or a lost connection: the release is then tried again, or fails.
const MISFIT_CLASSES: ReadonlySet<string | undefined> = new Set(['22', '23', '42']);

function isMisfit(error: unknown): error is Error {
  return isDatabaseError(error) && MISFIT_CLASSES.has(error.code?.slice(0, 2));
}

async function moveBack(work: ClientBase, settings: Settings, table: string): Promise<void> {
  await work.query(
    `ALTER TABLE ${keptName(settings, table)} SET SCHEMA ${escapeIdentifier(settings.clientSchema)}`,
  );
  await holdOwnTables(work, settings, 'rewrite', [table]);
  const { rows } = await work.query<{ grants: readonly TableGrant[] }>(
    `SELECT grants FROM ${keptName(settings, KEPT_RECORD)} WHERE name = $1`,
    [table],
  );
  await giveGrantsBack(work, clientName(settings, table), rows[0]?.grants ?? []);
}
