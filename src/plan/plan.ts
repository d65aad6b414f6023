import type { KeptSize } from '../deployment/kept-tables.js';
import type { AdministratorStatements } from '../doctor/apply-remedies.js';
import type { JobAction } from '../jobs/apply-jobs.js';
import type { Direction } from '../migrations/migration-error.js';
import type { StreamName } from '../migrations/streams.js';
import type { Mode, Transport } from '../settings/settings.js';
import type { ObjectKind } from './defined-objects.js';
import type { LockMode } from './lock-modes.js';

/** What `up` (or `down`) would run now, in both databases, and what it would replace there. */
export interface Plan {
  readonly direction: Direction;
  readonly packageVersion: string;
  readonly mode: Mode;
  readonly transport: Transport;
  /** What the settings put in the place of each placeholder. */
  readonly names: Readonly<Record<string, string>>;
  /** In the order in which they are run. */
  readonly streams: readonly PlannedStream[];
  /** What needs an administrator first; null if unknown. */
  readonly administrator: readonly AdministratorStatements[] | null;
  /** The role whose rights fragments get; null if that does not change, or is unknown. */
  readonly fragmentRole: string | null;
  /** What happens to the link from the work database to pg_cron; null: nothing. */
  readonly link: 'renewed' | 'removed' | null;
  /** What happens to pg_cron's jobs, apart from what migrations do to them; null if unknown. */
  readonly jobs: readonly PlannedJob[] | null;
  /** Where `down` puts tables that hold rows, and `up` takes them from. */
  readonly keptSchema: string;
  /** The tables that go there if they hold rows; or those that come back, if they fit. */
  readonly kept: readonly string[];
  /** What `up` leaves there, as far as that is known before it makes its tables. The hash does not cover it. */
  readonly stillKept: readonly StillKeptInPlan[];
  /** The tables that earlier rollbacks kept there and that this one drops with their rows. */
  readonly givenUp: readonly KeptSize[];
  /** What could not be found out, and why. The hash does not cover it. */
  readonly unknown: readonly Unknown[];
  /** What only a person can fix, and `up` refuses until then. */
  readonly obstacles: readonly string[];
  /** Checks that have to wait for the administrator's statements, and may ask for more. */
  readonly unchecked: readonly string[];
}

export interface StillKeptInPlan {
  readonly table: string;
  /** Null for a role that may not read there. */
  readonly rows: number | null;
  /** Why it is not taken back. */
  readonly reason: string;
}

export const UNKNOWABLE = ['administrator', 'fragment-role', 'jobs', 'link'] as const;
export type Unknowable = (typeof UNKNOWABLE)[number];

export interface Unknown {
  readonly part: Unknowable;
  readonly reason: string;
}

export interface PlannedStream {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  readonly applied: readonly AppliedInPlan[];
  /** Of these, what this package does not have: a newer one applied it. */
  readonly newer: readonly string[];
  /** Statements that make room for the first migration. */
  readonly preparation: readonly string[];
  /** In the order in which they are run. */
  readonly migrations: readonly PlannedMigration[];
  readonly objects: readonly ChangedObject[];
}

export interface AppliedInPlan {
  readonly name: string;
  /** Null where the ledger has none. */
  readonly upChecksum: string | null;
  readonly downChecksum: string | null;
}

export interface PlannedMigration {
  readonly name: string;
  /** With every placeholder filled in: what is run. */
  readonly sql: string;
  readonly statements: number;
  /** False for what runs outside of a transaction. */
  readonly inTransaction: boolean;
  /** The tables of the clients' schema that it drops, rows included. */
  readonly drops: readonly string[];
  /** On what was there before the migration, measured on a populated database; null if that was never measured. */
  readonly locks: readonly LockAtStake[] | null;
}

export interface LockAtStake {
  /** `schema.name`, quoted where necessary. */
  readonly relation: string;
  readonly modes: readonly LockMode[];
  /** As PostgreSQL estimates; null if it has never counted, or nothing of that name is there yet. */
  readonly rows: number | null;
  /** With indexes and what is stored out of line; null if nothing of that name is there yet. */
  readonly bytes: number | null;
}

/** A routine or view that is there and will be replaced or dropped. */
export interface ChangedObject {
  readonly kind: ObjectKind;
  /** `schema.name`, quoted where necessary, with the parameters' types of a routine. */
  readonly name: string;
  readonly action: 'replaced' | 'dropped';
  /** Its definition as PostgreSQL prints it. */
  readonly live: string;
  /**
   * Whether what is there is what a release made: yes, no (somebody else did), or null where that cannot be told:
   * of a view that another major version of PostgreSQL prints otherwise, or where the record cannot be read.
   */
  readonly asReleased: boolean | null;
  /**
   * Unified: from what is there to what will be; of what is as released, from source to source. Empty for what is
   * dropped as it was released.
   */
  readonly diff: string;
}

export interface PlannedJob {
  readonly action: JobAction;
  readonly jobName: string;
  /** Null for one of this deployment that is unscheduled: it changes with the work at hand. */
  readonly schedule: string | null;
  readonly command: string;
  readonly database: string;
}

/** Whether anything would be done, or has to be done first; what is unknown does not count. */
export function isPending(plan: Plan): boolean {
  return (
    plan.streams.some(({ migrations }) => migrations.length > 0) ||
    plan.givenUp.length > 0 ||
    (plan.administrator ?? []).length > 0 ||
    (plan.jobs ?? []).some(({ action }) => action !== 'left') ||
    plan.fragmentRole !== null ||
    plan.link === 'removed' ||
    plan.obstacles.length > 0
  );
}
