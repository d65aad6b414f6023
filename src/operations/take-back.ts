import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { KEPT_RECORD, type KeptTable, keptName, readKept } from '../deployment/kept-tables.js';
import { isOwnData } from '../deployment/own-data.js';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import {
  isCacheTable,
  keptTogether,
  whyGroupStays,
  whyNotMade,
  whyOfAnotherService,
} from '../deployment/why-still-kept.js';
import { holdOwnTables } from '../deployment/with-own-tables.js';
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
  for (const group of keptTogether(kept, settings)) {
    const reason = await takeBack(work, settings, group, made);
    for (const { table, rows, since } of group) {
      if (reason === undefined) taken.push({ table, rows });
      else left.push({ table, rows, since, reason });
    }
  }
  if (left.length === 0) await dropRoom(work, settings);
  return { names, taken, left };
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
  const reason = await whyGroupStays(group, (part) => whyStays(work, settings, part, group, made));
  if (reason !== undefined) return reason;
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

async function whyStays(
  work: ClientBase,
  settings: Settings,
  part: KeptTable,
  group: readonly KeptTable[],
  made: readonly string[],
): Promise<string | undefined> {
  const reason = whyNotMade(settings, part, group, made);
  const { table } = part;
  if (reason !== undefined || !made.includes(table)) return reason;
  return (
    (await misfit(work, keptName(settings, table), nameAfterwards(settings, table))) ??
    (table === deploymentTables(settings).processorConfig
      ? whyOfAnotherService(work, settings)
      : undefined)
  );
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
