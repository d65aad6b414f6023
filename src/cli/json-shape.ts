import type { Standing } from '../operations/what-stands.js';
/**
 * What `--json` prints: exactly one document on stdout, whether the command succeeded or not.
 *
 * A command that came to its end prints its report, even if the exit code is not 0 (`status` with something
 * pending, `doctor` with a failed check). One that did not prints `error` instead. Members without a value are
 * left out; further members may be added, those here stay.
 *
 * `--json-lines` prints a line for each event on the way, and the same document as the last line.
 */

import type { LockHolder } from '../database/advisory-lock.js';
import type { Whereabouts } from '../deployment/whereabouts.js';
import type { CheckResult, DoctorReport } from '../doctor/check-result.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import type { RoomReport } from '../jobs/room.js';
import type { AdoptReport } from '../operations/adopt-report.js';
import type { DownReport } from '../operations/down.js';
import type { FleetReport } from '../operations/fleet.js';
import type { HistoryReport } from '../operations/history.js';
import type { ModeReport } from '../operations/mode/change-mode.js';
import type { PauseReport, ResumeReport } from '../operations/pause.js';
import type { PlanReport } from '../operations/plan.js';
import type { PruneReport } from '../operations/prune.js';
import type { SetupReport } from '../operations/setup.js';
import type { StatusReport } from '../operations/status.js';
import type { SyncReport } from '../operations/sync.js';
import type { ImportReport } from '../operations/transfer-settings.js';
import type { MigrationProgress, UpReport } from '../operations/up-report.js';
import type { FixReport, VerifyReport } from '../operations/verify.js';
import type { MissingObject } from '../plan/missing-objects.js';
import type { Hold } from '../processor/holds.js';
import type { ProcessorChange } from '../processor/processor-config.js';
import type { ActiveFragment } from '../processor/read-active.js';
import type { FailureClass } from '../processor/read-failures.js';
import type { KnownFragments } from '../processor/read-known-fragments.js';
import type { ProcessorStatus } from '../processor/read-processors.js';
import type { QueueDepth } from '../processor/read-queue-depth.js';
import type { Throughput } from '../processor/read-throughput.js';
import type { RetryReport, RetryStatus } from '../processor/retry-fragments.js';
import type { ManualRunReport } from '../processor/run-processor.js';
import type { Run } from '../processor/runs.js';
import type { SettingsDocument } from '../processor/settings-document.js';
import type { Problem } from '../settings/problem.js';
import type { ResolvedVariable } from '../settings/resolved.js';
import type { Mode, Transport } from '../settings/settings.js';

/** The report of each command, by the command's name. */
export interface Reports {
  setup: SetupReport;
  plan: PlanReport;
  /** With --dry-run, both are a plan. */
  up: UpReport | PlanReport;
  down: DownReport | PlanReport;
  status: StatusReport;
  fleet: FleetReport;
  history: HistoryReport;
  pause: PauseReport;
  resume: ResumeReport;
  sync: SyncReport;
  'mode single': ModeReport;
  'mode cross': ModeReport;
  verify: VerifyReport | FixReport;
  adopt: AdoptReport;
  prune: PruneReport;
  'processor status': ProcessorStatusReport;
  'processor set': ProcessorChangeReport;
  'processor enable': ProcessorChangeReport;
  'processor disable': ProcessorDisableReport;
  'processor add': ProcessorChangeReport;
  'processor remove': ProcessorRemoveReport;
  'processor run': ProcessorRunReport;
  'processor retry': ProcessorRetryReport;
  export: SettingsDocument;
  import: ImportReport;
  config: ConfigReport;
  doctor: DoctorReport;
}

export type CommandName = keyof Reports;

export interface ProcessorStatusReport {
  /** Whether the work database is the one that was deployed. */
  readonly whereabouts: Whereabouts;
  /** Who keeps processing from going on. */
  readonly holds: readonly Hold[];
  readonly processors: readonly ProcessorStatus[];
  readonly queue: QueueDepth;
  /** What the slots are working on, the longest first. */
  readonly active: readonly ActiveFragment[];
  /** The last 1, 5 and 15 minutes of each processor. */
  readonly throughput: readonly Throughput[];
  /** Of the last 24 hours. */
  readonly failures: readonly FailureClass[];
  /** How many fragments ended in which state, over all time. */
  readonly fragments: KnownFragments;
}

export interface ProcessorChangeReport {
  /** Its name; `*` with --all. */
  readonly processor: string;
  /** What was asked for; null means no limit. */
  readonly change: ProcessorChange;
  /** False when it already was as asked. */
  readonly changed: boolean;
  /** Who keeps processing from going on, whatever the configuration says. */
  readonly holds: readonly Hold[];
  /** What this command did to pg_cron's jobs; empty where the sync_cron trigger did it. */
  readonly jobs: readonly AppliedAction[];
  /** Whether all jobs can run at once; null where this command has not judged that. */
  readonly room: RoomReport | null;
}

export interface ProcessorDisableReport extends ProcessorChangeReport {
  /** Processors of the queue that are still enabled. */
  readonly stillEnabled: readonly string[];
  /** Fragments that began earlier and are not settled yet. */
  readonly stillActive: readonly ActiveFragment[];
}

export interface ProcessorRemoveReport {
  readonly processor: string;
  readonly jobs: readonly AppliedAction[];
}

export interface ProcessorRunReport extends ManualRunReport {
  readonly processor: string;
}

export interface ProcessorRetryReport extends RetryReport {
  /** Whether nothing was changed. */
  readonly dryRun: boolean;
  readonly statuses: readonly RetryStatus[];
}

export interface ConfigReport {
  /** Secrets are masked. */
  readonly variables: readonly ResolvedVariable[];
  /** What follows from the variables; left out when they are not valid. */
  readonly deployment?: DerivedConfiguration;
  /** Only of a configuration that is not valid. */
  readonly error?: FailureReport;
}

export interface DerivedConfiguration {
  readonly mode: Mode;
  readonly transport: Transport;
  readonly schema: string;
  readonly cronSchema: string;
  readonly processor: string;
}

export interface FailureReport {
  /** The class of the error, such as `LockBusyError`. */
  readonly name: string;
  readonly message: string;
  readonly remedy?: string;
  /** Of a SettingsError: all that is wrong, by variable. */
  readonly problems?: readonly Problem[];
  /** Of a PreflightError: the checks that failed. */
  readonly checks?: readonly CheckResult[];
  /** Of a StoppedError: what it has left of each stream that it was to change. */
  readonly streams?: readonly Standing[];
  /** Of a MissingObjectsError: what is gone, with the statements that make it. */
  readonly missing?: readonly MissingObject[];
}

interface Envelope<Command extends string> {
  readonly command: Command;
  /** Whether the exit code is 0. */
  readonly ok: boolean;
  readonly exitCode: number;
}

export type ReportDocument<Name extends CommandName = CommandName> = Envelope<Name> &
  Json<Reports[Name]>;

/** `command` is empty when the command line names none. */
export type FailureDocument = Envelope<CommandName | ''> & { readonly error: Json<FailureReport> };

/** What goes on while a command runs. */
export type ProgressEvent =
  | {
      readonly event: 'waiting-for-lock';
      readonly waitSeconds: number;
      /** Left out when it has just released the lock. */
      readonly holder?: LockHolder | undefined;
    }
  | {
      readonly event: 'waiting-for-runs';
      readonly waitSeconds: number;
      readonly runs: readonly Run[];
      /** Whether they did not end by themselves, and have been cancelled. */
      readonly cancelled: boolean;
    }
  /** A migration has begun; `index` starts over when the transaction is tried again. */
  | ({ readonly event: 'migration' } & MigrationProgress)
  | { readonly event: 'log'; readonly message: string };

export type EndEvent = { readonly event: 'end' } & (ReportDocument | FailureDocument);

/** A line of `--json-lines`; the last one, and no other, is the end. */
export type JsonLine = (Json<ProgressEvent> | EndEvent) & { readonly time: string };

/** As JSON carries it: dates are ISO 8601 strings. */
export type Json<T> = T extends Date
  ? string
  : T extends object
    ? { readonly [Key in keyof T]: Json<T[Key]> }
    : T;
