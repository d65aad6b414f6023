export type { Reports } from './cli/json-shape.js';
export { LockBusyError, type LockHolder } from './database/advisory-lock.js';
export { withClient } from './database/connect.js';
export { ConnectionError } from './database/connection-error.js';
export { NotDeployedError } from './deployment/require-deployed.js';
export type { CheckResult, DoctorReport, Remedy } from './doctor/check-result.js';
export { runDoctor } from './doctor/run-doctor.js';
export type { ExitCode } from './errors/exit-codes.js';
export { PcacheError } from './errors/pcache-error.js';
export type { AppliedAction, JobAction } from './jobs/apply-jobs.js';
export type { Drift, DriftProblem } from './jobs/drift.js';
export type { JobStatus } from './jobs/read-jobs.js';
export { type DownExtent, MigrationSelectionError } from './migrations/select-migrations.js';
export type { StreamName } from './migrations/streams.js';
export {
  type ConfigureReport,
  configureProcessor,
  JobsNotSyncedError,
} from './operations/configure-processor.js';
export type { TableAtStake } from './operations/data-at-stake.js';
export {
  CronStreamStillUpError,
  type DownOptions,
  type DownReport,
  down,
  type RollbackPreview,
} from './operations/down.js';
export { RunsStillActiveError } from './operations/drain-runs.js';
export { PreflightError } from './operations/preflight.js';
export { type SetupOptions, type SetupReport, setup } from './operations/setup.js';
export { readStatus, type StatusReport, type StreamStatus } from './operations/status.js';
export { type SyncReport, sync } from './operations/sync.js';
export {
  CronStreamError,
  type MigrationProgress,
  type StreamChange,
  type UpOptions,
  type UpReport,
  up,
} from './operations/up.js';
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
export { loadSettings, type SettingsResult } from './settings/load.js';
export { type Problem, SettingsError } from './settings/problem.js';
export type { ResolvedVariable } from './settings/resolved.js';
export type { ConnectionSettings, Settings } from './settings/settings.js';
