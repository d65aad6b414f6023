export type { Reports } from './cli/json-shape.js';
export { LockBusyError, type LockHolder } from './database/advisory-lock.js';
export { withClient } from './database/connect.js';
export { ConnectionError } from './database/connection-error.js';
export type { TableAtStake } from './deployment/data-at-stake.js';
export {
  CronStreamStillUpError,
  type DownOptions,
  type DownReport,
  down,
  type RollbackPreview,
} from './deployment/down.js';
export { RunsStillActiveError } from './deployment/drain-runs.js';
export { PreflightError } from './deployment/preflight.js';
export { NotDeployedError } from './deployment/require-deployed.js';
export { type SetupOptions, type SetupReport, setup } from './deployment/setup.js';
export { readStatus, type StatusReport, type StreamStatus } from './deployment/status.js';
export {
  CronStreamError,
  type StreamChange,
  type UpOptions,
  type UpReport,
  up,
} from './deployment/up.js';
export type { CheckResult, DoctorReport, Remedy } from './doctor/check.js';
export { runDoctor } from './doctor/run-doctor.js';
export type { AppliedAction, JobAction } from './jobs/apply-jobs.js';
export type { Drift, DriftProblem } from './jobs/drift.js';
export type { JobStatus } from './jobs/read-jobs.js';
export { type SyncReport, sync } from './jobs/sync.js';
export { type DownExtent, MigrationSelectionError } from './migrations/select-migrations.js';
export type { StreamName } from './migrations/streams.js';
export {
  addProcessor,
  type ProcessorChange,
  ProcessorExistsError,
  removeProcessor,
  setProcessor,
  UnknownProcessorError,
} from './processor/change-processor.js';
export {
  type ConfigureReport,
  configureProcessor,
  JobsNotSyncedError,
} from './processor/configure-processor.js';
export { defaultJobName } from './processor/default-job-name.js';
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
