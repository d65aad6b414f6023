import type { ClientBase } from 'pg';
import type { LockWait } from '../deployment/with-databases.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import type { RoomReport } from '../jobs/room.js';
import type { MigrationStep } from '../migrations/run-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import type { PlanHash } from '../plan/plan-hash.js';
import type { Approval } from '../plan/require-plan.js';
import type { Hold } from '../processor/holds.js';
import type { CronReleases } from '../releases/cron-releases.js';
import type { TableAtStake } from './data-at-stake.js';
import type { Drain } from './drain-runs.js';
import type { StillKept } from './take-back.js';

export interface UpOptions extends LockWait, Drain {
  readonly streams: readonly StreamName[];
  /** The last migration to apply; only with a single stream. */
  readonly to?: string | undefined;
  /** Nothing is done unless the plan is this one. */
  readonly approval?: Approval | undefined;
  /** Whether what was changed by hand may be replaced. */
  readonly overwriteDrift?: boolean | undefined;
  /** Where the release comes from, such as a commit or the address of a job. */
  readonly label?: string | undefined;
  /** What runs it, if not this package's own command. */
  readonly program?: string | undefined;
  /**
   * In the transaction that makes the tables, around the migrations, which it has to let run; what is in the way of
   * the tables is then for it to see to.
   */
  readonly takeOver?: TakeOver | undefined;
  /** In a change of mode, which others are kept out of: the cron stream comes back, in another place. */
  readonly ofMode?: { readonly cronReleases: CronReleases } | undefined;
  /** False where the caller will judge the room, once it has changed the jobs as well. */
  readonly judgesRoom?: boolean | undefined;
  readonly log: (message: string) => void;
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

export type TakeOver = (
  work: ClientBase,
  migrate: () => Promise<readonly string[]>,
) => Promise<readonly string[]>;

export interface MigrationProgress extends MigrationStep {
  readonly stream: StreamName;
}

export interface StreamChange {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  /** In the order they were run. */
  readonly migrations: readonly string[];
}

export interface UpReport {
  /** Of the plan that was run. */
  readonly planHash: PlanHash;
  /** Statements run as the administrator beforehand. */
  readonly administrator: readonly string[];
  /** The number of the release that this run is or completes; null where it had nothing to release. */
  readonly release: number | null;
  readonly streams: readonly StreamChange[];
  /** The version of a newer package that has migrated these databases further than this one can. */
  readonly newerPackage: string | null;
  /** The role whose rights fragments have from now on; null if that did not change. */
  readonly fragmentRole: string | null;
  /** The tables whose rows a rollback had kept, and that have them again. */
  readonly takenBack: readonly TableAtStake[];
  /** Those that do not fit, and stay where they are. */
  readonly stillKept: readonly StillKept[];
  readonly jobs: readonly AppliedAction[];
  /** Whether all jobs can run at once; null where this command has not judged that. */
  readonly room: RoomReport | null;
  /** Who keeps processing from going on, also after this. */
  readonly holds: readonly Hold[];
  /** Whether the link to the pg_cron database was created or renewed, with the credentials of the settings. */
  readonly linkRenewed: boolean;
  /** The databases in which something still is not as the releases left it, as verify says. */
  readonly changed: readonly string[];
}
