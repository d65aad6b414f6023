import { requireDeployed } from '../deployment/require-deployed.js';
import { type LockWait, withLockedDatabases } from '../deployment/with-databases.js';
import { type AppliedAction, applyJobs } from '../jobs/apply-jobs.js';
import type { Settings } from '../settings/settings.js';
import { awaitUnwantedRuns } from './drain-runs.js';

// A run ends after its current fragment. A long one is not waited for: it is safe to unschedule its job.
const DRAIN_SECONDS = 5;

export interface SyncReport {
  readonly jobs: readonly AppliedAction[];
}

/** Repairs pg_cron's jobs: applies every difference from the configuration, whatever caused it. */
export async function sync(settings: Settings, wait: LockWait): Promise<SyncReport> {
  return withLockedDatabases(settings, wait, async (databases) => {
    await requireDeployed(databases.work, settings, 'work');
    await requireDeployed(databases.cron, settings, 'cron');
    await awaitUnwantedRuns(databases.work, settings, DRAIN_SECONDS);
    return { jobs: await applyJobs(databases, settings) };
  });
}
