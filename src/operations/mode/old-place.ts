import type { ClientBase } from 'pg';
import { hasDatabase, hasRelation } from '../../database/catalogue.js';
import { withClientIfReachable } from '../../database/with-client-if-reachable.js';
import type { CronPlace } from '../../deployment/cron-place.js';
import { ownName } from '../../deployment/own-names.js';
import { LEDGER_TABLE, LEDGER_TABLES } from '../../migrations/ledger.js';
import { whoElseMadeIt } from '../../migrations/who-else-made-it.js';
import type { Settings } from '../../settings/settings.js';

/** What is still of this deployment in the database that the cron stream leaves. */
export type OldPlace =
  | { readonly state: 'deployed' | 'rolled back' | 'gone' }
  /** There is something under our names that somebody else made. */
  | { readonly state: 'foreign' }
  | { readonly state: 'unreachable'; readonly reason: string };

/** The settings that this deployment had in that database. */
export function settingsAt(
  settings: Settings,
  { database, transport }: Pick<CronPlace, 'database' | 'transport'>,
): Settings {
  return {
    ...settings,
    mode: database === settings.work.database ? 'single' : 'cross',
    transport,
    cron: { ...settings.cron, database },
  };
}

export async function examineOldPlace(work: ClientBase, old: Settings): Promise<OldPlace> {
  if (!(await hasDatabase(work, old.cron.database))) return { state: 'gone' };
  return withClientIfReachable(old.cron, async ({ client, failure }): Promise<OldPlace> => {
    if (failure) {
      return { state: 'unreachable', reason: `${failure.message}. ${failure.remedy}` };
    }
    const others = await whoElseMadeIt(client, old.cronSchema, LEDGER_TABLES, old.cron.user);
    if (others.length > 0) return { state: 'foreign' };
    const isDeployed = await hasRelation(client, old.cronSchema, LEDGER_TABLE);
    return { state: isDeployed ? 'deployed' : 'rolled back' };
  });
}

/** Records that no job is there, where that could not be seen to, or somebody else has. */
export async function recordLeft(work: ClientBase, settings: Settings): Promise<void> {
  await work.query(`SELECT ${ownName(settings, 'mark_synced')}('{"jobs": []}')`);
  await work.query(
    `SELECT ${ownName(settings, 'record_cron_side')}('deploy', NULL, cron_database)
       FROM ${ownName(settings, 'deployment')}`,
  );
}
