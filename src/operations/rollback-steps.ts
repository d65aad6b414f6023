import type { ConnectionError } from '../database/connection-error.js';
import type { StreamPlan } from '../deployment/stream-plan.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { DownExtent } from '../migrations/select-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import type { Release } from '../releases/release.js';
import { type RollbackExtent, resolveExtent } from './rollback-extent.js';
import { planRollback, type RollbackStep } from './rollback-plan.js';
import { namesOf, remaining } from './rollback-states.js';

export interface RollbackRequest {
  readonly streams: readonly StreamName[];
  readonly extent: RollbackExtent;
}

/** pg_cron still calls the work stream, so it cannot be rolled back. */
export class CronStreamStillUpError extends PcacheError {
  override readonly name = 'CronStreamStillUpError';

  constructor(database: string) {
    super(
      `The cron stream is still deployed in database "${database}": its jobs would call what is gone.`,
      {
        remedy:
          'Roll it back first: pcache-migrate down --stream cron --all, or both at once: pcache-migrate down --all.',
      },
    );
  }
}

/** The pg_cron database cannot be reached, and something there may have to be rolled back, too. */
export class CronUnreachableError extends PcacheError {
  override readonly name = 'CronUnreachableError';

  constructor(extent: RollbackExtent, failure: ConnectionError) {
    super(
      `The cron stream comes first, and its database cannot be reached: ${failure.message}. Nothing was changed.`,
      {
        remedy: `${failure.remedy}\nOr roll back the work database alone, for now; pg_cron's jobs then find procedures that do nothing: pcache-migrate down --stream work${optionsOf(extent)}`,
        cause: failure,
      },
    );
  }
}

function optionsOf(extent: RollbackExtent): string {
  if ('all' in extent) return ' --all';
  if ('count' in extent) return ` --count ${extent.count}`;
  if ('toRelease' in extent) return ` --to ${extent.toRelease}`;
  if ('toVersion' in extent) return ` --to ${shown(extent.toVersion)}`;
  return 'to' in extent ? ` --to ${shown(extent.to)}` : '';
}

/**
 * What is rolled back, in that order. `states` are those of the streams that can be reached; without the cron stream's,
 * raises CronUnreachableError unless the request is about the work stream alone; with it, CronStreamStillUpError where
 * jobs would be left that call what is gone.
 */
export function rollbackSteps(
  { streams, extent }: RollbackRequest,
  states: readonly StreamPlan[],
  releases: readonly Release[],
  cronFailure: ConnectionError | undefined,
): RollbackStep[] {
  const chosen = states.filter(({ stream }) => streams.includes(stream));
  if (cronFailure && !streams.includes('work')) throw cronFailure;
  const resolved = resolveExtent(extent, states, chosen, releases);
  if (cronFailure && streams.includes('cron') && !isAboutWork(resolved, releases)) {
    throw new CronUnreachableError(extent, cronFailure);
  }
  const steps = planRollback(chosen, resolved);
  refuseOrphanedJobs(states, steps);
  return steps;
}

function refuseOrphanedJobs(states: readonly StreamPlan[], steps: readonly RollbackStep[]): void {
  const cron = states.find(({ stream }) => stream === 'cron');
  const takesWork = namesOf(steps, 'work').length > 0;
  if (!cron || !takesWork || remaining(states, steps, 'work') > 0) return;
  if (remaining(states, steps, 'cron') > 0) throw new CronStreamStillUpError(cron.database);
}

/** Whether the releases that are undone have changed the work database alone. */
function isAboutWork(extent: DownExtent, releases: readonly Release[]): boolean {
  if (!('toRelease' in extent)) return false;
  const undone = releases.filter(
    ({ number, undoneAt }) => number > extent.toRelease && undoneAt === undefined,
  );
  // Without any, there may be something of the cron stream all the same.
  return (
    undone.length > 0 &&
    undone.every(({ outcome, cronMigrations }) => outcome === 'done' && cronMigrations.length === 0)
  );
}
