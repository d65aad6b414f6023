import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import { readStreamPlan, type StreamPlan } from '../deployment/stream-plan.js';
import { desiredJobs } from '../jobs/apply-jobs.js';
import { type Drift, readDrift } from '../jobs/drift.js';
import { type JobStatus, readJobs } from '../jobs/read-jobs.js';
import type { StreamName } from '../migrations/streams.js';
import { type ProcessorStatus, readProcessors } from '../processor/read-processors.js';
import type { Mode, Settings, Transport } from '../settings/settings.js';

export interface StreamStatus {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  readonly applied: readonly { readonly name: string; readonly appliedAt: Date }[];
  readonly pending: readonly string[];
}

export interface StatusReport {
  readonly mode: Mode;
  readonly transport: Transport;
  readonly streams: readonly StreamStatus[];
  readonly processors: readonly ProcessorStatus[];
  readonly jobs: readonly JobStatus[];
  readonly drift: readonly Drift[];
  /** Why the pg_cron database could not be read; then the report says nothing about it. */
  readonly cronUnreachable?: string;
  /** Nothing pending and no drift. */
  readonly upToDate: boolean;
}

/** What is deployed, what is pending, and how pg_cron's jobs differ from the configuration. Changes nothing. */
export async function readStatus(settings: Settings): Promise<StatusReport> {
  return withClient(settings.work, async (work) => {
    try {
      return await withClient(settings.cron, (cron) => fullStatus(settings, work, cron));
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      // When pg_cron cannot be reached, what the work database knows is needed most.
      const plan = await readStreamPlan(work, settings, 'work');
      return {
        mode: settings.mode,
        transport: settings.transport,
        streams: [streamStatus(plan)],
        processors: plan.pending.length === 0 ? await readProcessors(work, settings) : [],
        jobs: [],
        drift: [],
        cronUnreachable: `${error.message}. ${error.remedy}`,
        upToDate: false,
      };
    }
  });
}

async function fullStatus(
  settings: Settings,
  work: ClientBase,
  cron: ClientBase,
): Promise<StatusReport> {
  const plans = [
    await readStreamPlan(work, settings, 'work'),
    await readStreamPlan(cron, settings, 'cron'),
  ];
  const [workIsUp, cronIsUp] = plans.map(({ pending }) => pending.length === 0);
  const drift =
    workIsUp && cronIsUp ? await readDrift(cron, settings, await desiredJobs(work, settings)) : [];
  return {
    mode: settings.mode,
    transport: settings.transport,
    streams: plans.map(streamStatus),
    processors: workIsUp ? await readProcessors(work, settings) : [],
    jobs: cronIsUp ? await readJobs(cron, settings) : [],
    drift,
    upToDate: workIsUp === true && cronIsUp === true && drift.length === 0,
  };
}

function streamStatus({ stream, database, schema, applied, pending }: StreamPlan): StreamStatus {
  return { stream, database, schema, applied, pending: pending.map(({ name }) => name) };
}
