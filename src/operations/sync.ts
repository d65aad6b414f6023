import { requireCronPlace } from '../deployment/cron-place.js';
import { requireDeployed } from '../deployment/require-deployed.js';
import {
  type Databases,
  type LockWait,
  withLockedDatabases,
} from '../deployment/with-databases.js';
import { type AppliedAction, applyJobs, type DesiredJob } from '../jobs/apply-jobs.js';
import { whyNoneStarts } from '../jobs/why-none-starts.js';
import { type LockPolicy, lockingTransaction } from '../migrations/locking-transaction.js';
import type { Settings } from '../settings/settings.js';
import { attempt } from './attempt.js';
import { awaitUnwantedRuns } from './drain-runs.js';
import { jobsStandingText } from './jobs-standing.js';

// A run ends after its current fragment. A long one is not waited for: it is safe to unschedule its job.
const DRAIN_SECONDS = 5;

// What it writes, everybody else locks for a moment only.
const ONCE: LockPolicy = { lockTimeoutMs: 10_000, retries: 0, log: () => {} };

export interface SyncOptions extends LockWait {
  /** Looks at what the jobs are now, over the same connections. */
  readonly afterwards?: (databases: Databases, desired: readonly DesiredJob[]) => Promise<void>;
}

export interface SyncReport {
  readonly jobs: readonly AppliedAction[];
  /** Why pg_cron starts none of them, however they are. */
  readonly notStarted?: string;
}

/** Repairs pg_cron's jobs: applies every difference from the configuration, whatever caused it. */
export async function sync(settings: Settings, options: SyncOptions): Promise<SyncReport> {
  return attempt(
    () => false,
    (begin) =>
      withLockedDatabases(settings, options, async (databases) => {
        await requireDeployed(databases.work, settings, 'work');
        await requireCronPlace(databases.work, settings);
        await requireDeployed(databases.cron, settings, 'cron');
        await awaitUnwantedRuns(databases.work, settings, DRAIN_SECONDS);
        begin(async () => ({
          said: [await jobsStandingText(settings)],
          next: 'run pcache-migrate sync again; it applies what differs.',
          isUntouched: false,
        }));
        const applied = await lockingTransaction(databases.work, ONCE, () =>
          lockingTransaction(databases.cron, ONCE, () => applyJobs(databases, settings)),
        );
        const { notStarted } = await whyNoneStarts(databases, settings);
        await options.afterwards?.(databases, applied.desired);
        return { jobs: applied.actions, ...(notStarted !== undefined && { notStarted }) };
      }),
  );
}
