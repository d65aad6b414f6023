export type { JsonLine, Reports } from './cli/json-shape.js';
export { LockBusyError, type LockHolder } from './database/advisory-lock.js';
export { withClient } from './database/connect.js';
export { ConnectionError } from './database/connection-error.js';
export { StatementRefusedError } from './database/statement-refused-error.js';
export { CronMovingError } from './deployment/cron-move.js';
export { CronElsewhereError } from './deployment/cron-place.js';
export type { KeptTable } from './deployment/kept-tables.js';
export { NotDeployedError } from './deployment/require-deployed.js';
export { MovedDatabaseError } from './deployment/require-in-place.js';
export type { Whereabouts } from './deployment/whereabouts.js';
export type { CheckResult, DoctorReport, Remedy } from './doctor/check-result.js';
export { runDoctor } from './doctor/run-doctor.js';
export type { ExitCode } from './errors/exit-codes.js';
export { PcacheError } from './errors/pcache-error.js';
export type { AppliedAction, JobAction } from './jobs/apply-jobs.js';
export type { Drift, DriftProblem } from './jobs/drift.js';
export type { JobStatus } from './jobs/read-jobs.js';
export type { LimitName, RoomReport, Shortage, UnknownRoom } from './jobs/room.js';
export { type DownExtent, MigrationSelectionError } from './migrations/select-migrations.js';
export type { StreamName } from './migrations/streams.js';
export type { NamedDifference } from './objects/named-difference.js';
export type { ObjectReport } from './objects/object-report.js';
export { adopt } from './operations/adopt.js';
export { AdoptionStoppedError, NotAdoptableError } from './operations/adopt-foreign.js';
export type { AdoptOptions, AdoptPreview, AdoptReport } from './operations/adopt-report.js';
export {
  type ConfigureReport,
  configureProcessor,
  JobsNotSyncedError,
} from './operations/configure-processor.js';
export { CronStreamError } from './operations/cron-stream-error.js';
export type { TableAtStake } from './operations/data-at-stake.js';
export {
  type DownOptions,
  type DownReport,
  down,
  type RollbackPreview,
} from './operations/down.js';
export { type Drain, RunsStillActiveError, type RunsWait } from './operations/drain-runs.js';
export {
  type FleetDeployment,
  type FleetPart,
  type FleetReport,
  readFleet,
} from './operations/fleet.js';
export { NoRoomForKeptError } from './operations/keep-data.js';
export {
  changeMode,
  type ModeOptions,
  type ModeReport,
  type MovePreview,
} from './operations/mode/change-mode.js';
export { ModeMismatchError, ModeUnfinishedError } from './operations/mode/errors.js';
export { type PlanReport, type PlanRequest, plan } from './operations/plan.js';
export { PreflightError } from './operations/preflight.js';
export { type PruneOptions, type PruneReport, prune } from './operations/prune.js';
export { type AnewOptions, type AnewPreview, recordAnew } from './operations/record-anew.js';
export type { RollbackExtent } from './operations/rollback-extent.js';
export { CronStreamStillUpError, CronUnreachableError } from './operations/rollback-steps.js';
export { type SetupOptions, type SetupReport, setup } from './operations/setup.js';
export {
  AtWorkError,
  readStatus,
  type StatusReport,
  type StreamStatus,
} from './operations/status.js';
export { StoppedError } from './operations/stopped-error.js';
export { type SyncReport, sync } from './operations/sync.js';
export type { StillKept } from './operations/take-back.js';
export {
  exportSettings,
  type ImportReport,
  importSettings,
} from './operations/transfer-settings.js';
export { up } from './operations/up.js';
export type {
  MigrationProgress,
  StreamChange,
  UpOptions,
  UpReport,
} from './operations/up-report.js';
export {
  type FixOptions,
  type FixReport,
  fix,
  type RestoredObject,
  type VerifyReport,
  verify,
} from './operations/verify.js';
export type { Standing } from './operations/what-stands.js';
export { MissingObjectsError } from './plan/missing-objects.js';
export type { Plan } from './plan/plan.js';
export { PlanFileError, type PlanInFile, parsePlanFile, planFile } from './plan/plan-file.js';
export { type Approval, PlanChangedError } from './plan/require-plan.js';
export { defaultJobName } from './processor/default-job-name.js';
export {
  addProcessor,
  type ProcessorChange,
  ProcessorExistsError,
  removeProcessor,
  setProcessor,
  UnknownProcessorError,
} from './processor/processor-config.js';
export { type ActiveFragment, readActive } from './processor/read-active.js';
export { type FailureClass, readFailures } from './processor/read-failures.js';
export { type KnownFragments, readKnownFragments } from './processor/read-known-fragments.js';
export { type ProcessorStatus, readProcessors } from './processor/read-processors.js';
export {
  type PriorityDepth,
  type QueueDepth,
  readQueueDepth,
} from './processor/read-queue-depth.js';
export {
  type EvaluationTimes,
  readThroughput,
  type Throughput,
} from './processor/read-throughput.js';
export {
  type FragmentState,
  type RetryReport,
  type RetrySelection,
  type RetryStatus,
  retryFragments,
  type UnknownHash,
} from './processor/retry-fragments.js';
export { type ManualRunReport, runProcessor } from './processor/run-processor.js';
export {
  parseSettingsDocument,
  type SettingsDocument,
  SettingsDocumentError,
} from './processor/settings-document.js';
export { loadSettings, type SettingsResult } from './settings/load.js';
export { type Problem, SettingsError } from './settings/problem.js';
export type { ResolvedVariable } from './settings/resolved.js';
export type { ConnectionSettings, Settings } from './settings/settings.js';
