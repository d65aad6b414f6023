import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { ownName } from '../deployment/own-names.js';
import { requireDeployed } from '../deployment/require-deployed.js';
import type { LockWait } from '../deployment/with-databases.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import { sync } from '../jobs/sync.js';
import type { Settings } from '../settings/settings.js';

export interface ConfigureReport {
  /** What was done to pg_cron's jobs by this command; empty where the sync_cron trigger had done it all. */
  readonly jobs: readonly AppliedAction[];
}

/**
 * Changes the processors' configuration and sees to it that pg_cron knows: through the trigger where the
 * deployment's transport allows it, else by a sync right afterwards.
 */
export async function configureProcessor(
  settings: Settings,
  wait: LockWait,
  change: (work: ClientBase) => Promise<void>,
): Promise<ConfigureReport> {
  const pending = await withClient(settings.work, async (work) => {
    await requireDeployed(work, settings, 'work');
    await change(work);
    return isSyncPending(work, settings);
  });
  return pending ? sync(settings, wait) : { jobs: [] };
}

async function isSyncPending(work: ClientBase, settings: Settings): Promise<boolean> {
  const { rowCount } = await work.query(`SELECT FROM ${ownName(settings, 'sync_pending')} LIMIT 1`);
  return rowCount !== 0;
}
