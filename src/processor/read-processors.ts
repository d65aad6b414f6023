import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

export interface ProcessorStatus {
  readonly jobName: string;
  readonly enabled: boolean;
  readonly parallel: number;
  readonly frequencySeconds: number;
  readonly timeoutSeconds: number;
  readonly resultLimit: number | undefined;
  readonly defaultBitsize: number | undefined;
  /** Fragments in the queue, which all processors of the deployment share. */
  readonly queued: number;
  readonly active: number;
  readonly registeredJobs: number;
  readonly succeededLastHour: number;
  readonly failedLastHour: number;
}

interface ProcessorRow {
  job_name: string;
  enabled: boolean;
  max_parallel_jobs: number;
  frequency_seconds: number;
  timeout_seconds: number;
  result_limit: number | null;
  default_bitsize: number | null;
  queued: string;
  active: string;
  registered_jobs: number;
  succeeded_last_hour: string;
  failed_last_hour: string;
}

/** The processors of this deployment, by name. */
export async function readProcessors(
  work: ClientBase,
  settings: Settings,
): Promise<ProcessorStatus[]> {
  const { rows } = await work.query<ProcessorRow>(
    `SELECT * FROM ${ownName(settings, 'processor_status')} ORDER BY job_name`,
  );
  return rows.map((row) => ({
    jobName: row.job_name,
    enabled: row.enabled,
    parallel: row.max_parallel_jobs,
    frequencySeconds: row.frequency_seconds,
    timeoutSeconds: row.timeout_seconds,
    resultLimit: row.result_limit ?? undefined,
    defaultBitsize: row.default_bitsize ?? undefined,
    queued: Number(row.queued),
    active: Number(row.active),
    registeredJobs: row.registered_jobs,
    succeededLastHour: Number(row.succeeded_last_hour),
    failedLastHour: Number(row.failed_last_hour),
  }));
}
