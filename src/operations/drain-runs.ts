import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';

export interface LiveRun {
  readonly jobName: string;
  readonly slot: number;
  readonly pid: number;
  /** Whether the configuration still wants this slot to run. */
  readonly wanted: boolean;
}

/** Some runs did not end in time; the processors are disabled, nothing else has changed. */
export class RunsStillActiveError extends PcacheError {
  override readonly name = 'RunsStillActiveError';
  readonly runs: readonly LiveRun[];

  constructor(runs: readonly LiveRun[], waitedSeconds: number) {
    super(
      `${runs.length} processor ${runs.length === 1 ? 'run is' : 'runs are'} still at work after ${waitedSeconds} s: ` +
        `${runs.map(({ jobName, slot, pid }) => `${shown(jobName)} slot ${slot} (pid ${pid})`).join(', ')}. ` +
        'The processors are disabled, so each ends after its present fragment.',
      {
        remedy:
          'Run the command again then, or cancel the fragments in the work database: ' +
          runs.map(({ pid }) => `SELECT pg_cancel_backend(${pid});`).join(' '),
      },
    );
    this.runs = runs;
  }
}

/** Disables all processors and waits until no run is left, because what they call is about to be dropped. */
export async function drainRuns(
  work: ClientBase,
  settings: Settings,
  waitSeconds: number,
): Promise<void> {
  const { processorConfig } = deploymentTables(settings);
  await withOwnTables(work, settings, 'write', [processorConfig], () =>
    work.query(`UPDATE ${clientName(settings, processorConfig)} SET enabled = false WHERE enabled`),
  );
  const left = await awaitRuns(work, settings, waitSeconds, () => true);
  if (left.length > 0) throw new RunsStillActiveError(left, waitSeconds);
}

/**
 * Waits up to waitSeconds for the runs that the configuration no longer wants.
 * pg_cron logs a job that is unscheduled while it runs as cancelled, and may end its backend.
 */
export async function awaitUnwantedRuns(
  work: ClientBase,
  settings: Settings,
  waitSeconds: number,
): Promise<void> {
  await awaitRuns(work, settings, waitSeconds, ({ wanted }) => !wanted);
}

async function awaitRuns(
  work: ClientBase,
  settings: Settings,
  waitSeconds: number,
  which: (run: LiveRun) => boolean,
): Promise<LiveRun[]> {
  const deadline = performance.now() + waitSeconds * 1000;
  for (;;) {
    const runs = (await liveRuns(work, settings)).filter(which);
    if (runs.length === 0 || performance.now() > deadline) return runs;
    await sleep(200);
  }
}

async function liveRuns(work: ClientBase, settings: Settings): Promise<LiveRun[]> {
  const { processorConfig } = deploymentTables(settings);
  const { rows } = await withOwnTables(work, settings, 'read', [processorConfig], () =>
    work.query<{
      job_name: string;
      slot: number;
      pid: number;
      wanted: boolean;
    }>(
      `SELECT slot.job_name, slot.slot, locks.pid,
            coalesce(config.enabled AND slot.slot <= config.max_parallel_jobs, false) AS wanted
       FROM ${ownName(settings, 'slot')} AS slot
       JOIN pg_catalog.pg_locks AS locks
         ON locks.objid = slot.lock_key::pg_catalog.oid AND locks.locktype = 'advisory' AND locks.objsubid = 2
       LEFT JOIN ${clientName(settings, processorConfig)} AS config USING (job_name)
      WHERE ${ownName(settings, 'run_is_alive')}(locks.pid, slot.lock_key)
      ORDER BY slot.job_name, slot.slot`,
    ),
  );
  return rows.map(({ job_name, ...run }) => ({ jobName: job_name, ...run }));
}
