import type { ClientBase } from 'pg';
import { unlessRefused } from '../database/unless-refused.js';
import { readKeptNames, readKeptSeen } from '../deployment/kept-tables.js';
import { ownDataDropped } from '../deployment/own-data.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import {
  isCacheTable,
  keptTogether,
  whyGroupStays,
  whyNotMade,
  whyOfAnotherService,
} from '../deployment/why-still-kept.js';
import type { Migration } from '../migrations/read-migrations.js';
import type { Settings } from '../settings/settings.js';
import type { Plan, StillKeptInPlan } from './plan.js';

/** What becomes of what earlier rollbacks kept, when these migrations of the work stream are applied. */
export async function plannedKept(
  work: ClientBase,
  settings: Settings,
  pending: readonly Migration[],
): Promise<Pick<Plan, 'kept' | 'stillKept'>> {
  const names = pending.length > 0 ? await readKeptNames(work, settings) : [];
  if (names.length === 0) return { kept: [], stillKept: [] };
  const made = tablesMade(settings, pending);
  const withCaches = made.includes(deploymentTables(settings).partitionMetadata);
  return {
    // By their names alone, so that the hash is the same for a role that may not read there.
    kept: names.filter(
      (name) => made.includes(name) || (withCaches && isCacheTable(settings, name)),
    ),
    stillKept: await stillKept(work, settings, made),
  };
}

/** Those that their rollbacks drop. */
function tablesMade(settings: Settings, pending: readonly Migration[]): string[] {
  return [
    ...pending.flatMap(({ drops }) => drops),
    ...ownDataDropped(
      settings,
      pending.map(({ down }) => down.sql),
    ),
  ];
}

/** As far as it can be known before the tables are there: not whether the columns fit. */
async function stillKept(
  work: ClientBase,
  settings: Settings,
  made: readonly string[],
): Promise<StillKeptInPlan[]> {
  const { processorConfig } = deploymentTables(settings);
  const found: StillKeptInPlan[] = [];
  for (const group of keptTogether(await readKeptSeen(work, settings), settings)) {
    const reason = await whyGroupStays(group, async (part) => {
      const why = whyNotMade(settings, part, group, made);
      if (why !== undefined || part.table !== processorConfig || part.rows === null) return why;
      return unlessRefused<string | undefined>(
        () => whyOfAnotherService(work, settings),
        () => undefined,
      );
    });
    if (reason === undefined) continue;
    found.push(...group.map(({ table, rows }) => ({ table, rows, reason })));
  }
  return found;
}
