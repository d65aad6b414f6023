import type { AdoptionProposal } from '../adoption/propose-adoption.js';
import type { TakenTable } from '../adoption/taken-table.js';
import type { CronMove } from '../deployment/cron-move.js';
import type { Whereabouts } from '../deployment/whereabouts.js';
import type { LockWait } from '../deployment/with-databases.js';
import type { UnreadableTables } from '../doctor/unreadable-tables.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import type { RemovedCronSide } from './remove-cron-side.js';

/** What is going to be done, in words. */
export interface AdoptStep {
  readonly database: string;
  readonly what: string;
}

export interface AdoptPreview {
  /** What the work database is. */
  readonly found: Whereabouts;
  /** In the order in which they are done; none where everything is in place. */
  readonly steps: readonly AdoptStep[];
  /** What is left alone or not kept, and why. */
  readonly left: readonly string[];
  /** A change of mode that the moved database had begun: after this as before, nothing is processed until it ends. */
  readonly cronMove?: CronMove;
  /** What fragments may not read since a restore without privileges: until they may, processing is paused. */
  readonly unreadable?: UnreadableTables;
  /** More of a set-up that PartitionCache's own tool made. */
  readonly tool?: ToolPreview;
}

export type ToolPreview = Pick<
  AdoptionProposal,
  'changes' | 'asAdministrator' | 'byHand' | 'problems'
>;

export interface AdoptOptions extends LockWait {
  /** Nothing is changed. */
  readonly dryRun: boolean;
  /** Asked before anything is changed; false ends the command. */
  readonly confirm: (preview: AdoptPreview) => Promise<boolean>;
  readonly log: (message: string) => void;
}

export interface AdoptReport extends AdoptPreview {
  readonly dryRun: boolean;
  readonly confirmed: boolean;
  /** Statements run as the administrator, or that the migrator ran to get back what is its own. */
  readonly administrator: readonly string[];
  /** Definitions, owners and grants that the releases had left and that were missing. */
  readonly restored: readonly string[];
  /** What the server did not let us restore. */
  readonly refused: readonly { readonly object: string; readonly reason: string }[];
  /** What the old name had in the pg_cron database, and has no longer. */
  readonly removed: readonly RemovedCronSide[];
  readonly jobs: readonly AppliedAction[];
  /** What became of the tables of PartitionCache's own tool. */
  readonly tables?: readonly TakenTable[];
  /** Of the release that took them over. */
  readonly release?: number;
}
