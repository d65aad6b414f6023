import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { remedyOf, remedyThen } from '../database/remedy-of.js';
import { unlessRefused } from '../database/unless-refused.js';
import { readCronStanding } from '../deployment/cron-place.js';
import { ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { requireDeployed } from '../deployment/require-deployed.js';
import { requireInPlace } from '../deployment/require-in-place.js';
import type { LockWait } from '../deployment/with-databases.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import { ofOneStep } from '../errors/of-one-step.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import { reportRoom } from '../jobs/read-room.js';
import { type RoomReport, unknownRoom } from '../jobs/room.js';
import { type Hold, readHolds } from '../processor/holds.js';
import type { Settings } from '../settings/settings.js';
import { sync } from './sync.js';

export interface ConfigureReport {
  /** What was done to pg_cron's jobs by this command; empty where the sync_cron trigger had done it all. */
  readonly jobs: readonly AppliedAction[];
  /** Who keeps processing from going on, whatever the configuration says. */
  readonly holds: readonly Hold[];
  /** Whether all jobs can run at once; null where this command has not judged that. */
  readonly room: RoomReport | null;
}

/** The configuration has changed and running processors follow it, but pg_cron does not know yet. */
export class JobsNotSyncedError extends PcacheError {
  override readonly name = 'JobsNotSyncedError';

  constructor(cause: unknown) {
    super(
      `The configuration has changed and running processors follow it, but not all of pg_cron's jobs have followed: ${ofOneStep(describeRefusal(cause))}`,
      { remedy: remedyThen(cause, 'run: pcache-migrate sync'), cause },
    );
  }
}

/**
 * Changes the processors' configuration and makes pg_cron's jobs follow: through the trigger where the transport allows
 * it, else by a sync afterwards; while a change of mode is under way, at its end. Raises MovedDatabaseError in another
 * database than the one that was deployed, JobsNotSyncedError when only the sync failed.
 */
export async function configureProcessor(
  settings: Settings,
  wait: LockWait,
  change: (work: ClientBase) => Promise<void>,
): Promise<ConfigureReport> {
  const { pending, ...done } = await withClient(settings.work, async (work) => {
    await requireDeployed(work, settings, 'work');
    // Its jobs could not follow.
    await requireInPlace(work, settings);
    const { processorConfig } = deploymentTables(settings);
    await withOwnTables(work, settings, 'write', [processorConfig], () => change(work));
    const { move } = await readCronStanding(work, settings);
    const pending = move === undefined && (await isSyncPending(work, settings));
    return {
      pending,
      holds: await readHolds(work, settings),
      room: move !== undefined || pending ? null : await roomNow(work, settings),
    };
  });
  return { jobs: [], ...done, ...(pending && (await synced(settings, wait))) };
}

async function synced(
  settings: Settings,
  wait: LockWait,
): Promise<Pick<ConfigureReport, 'jobs' | 'room'>> {
  let room: RoomReport | null = null;
  try {
    const { jobs } = await sync(settings, {
      ...wait,
      afterwards: async (databases, desired) => {
        room = await reportRoom(databases, settings, desired);
      },
    });
    return { jobs, room };
  } catch (error) {
    throw new JobsNotSyncedError(error);
  }
}

/** Unknown where the pg_cron database cannot be reached: the jobs are configured all the same. */
function roomNow(work: ClientBase, settings: Settings): Promise<RoomReport> {
  return unlessRefused<RoomReport>(
    () => withClient(settings.cron, (cron) => reportRoom({ work, cron }, settings)),
    (said, error) => unknownRoom(said, remedyOf(error)),
    (error) => error instanceof ConnectionError,
  );
}

async function isSyncPending(work: ClientBase, settings: Settings): Promise<boolean> {
  const { rowCount } = await work.query(`SELECT FROM ${ownName(settings, 'sync_pending')} LIMIT 1`);
  return rowCount !== 0;
}
