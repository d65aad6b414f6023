import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { withOwnTables } from '../deployment/with-own-tables.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { cancelRuns } from '../processor/cancel-runs.js';
import { type Run, readRuns } from '../processor/runs.js';
import type { Settings } from '../settings/settings.js';

/** The runs that are waited for. */
export interface RunsWait {
  readonly waitSeconds: number;
  readonly runs: readonly Run[];
  /** Whether they did not end by themselves, and have been cancelled. */
  readonly cancelled: boolean;
}

export interface Drain {
  /** How many seconds runs may take to end by themselves; then they are cancelled. */
  readonly drainSeconds: number;
  readonly onDrain?: ((wait: RunsWait) => void) | undefined;
}

/** Longer than it takes until maintenance ends a run that does not heed a cancel (docs/processor.md). */
const CANCEL_SECONDS = 15;

/** Some runs did not end in time; nothing has changed. */
export class RunsStillActiveError extends PcacheError {
  override readonly name = 'RunsStillActiveError';
  readonly runs: readonly Run[];

  constructor(runs: readonly Run[], waitedSeconds: number) {
    super(
      `${runs.length} ${runs.length === 1 ? 'run is' : 'runs are'} still at work after ${waitedSeconds} s, though cancelled: ` +
        `${runs.map(runText).join(', ')}. Nothing has changed, and the processors go on as before.`,
      {
        remedy: `End them as an administrator in the work database, and run the command again: ${runs
          .map(({ pid }) => `SELECT pg_terminate_backend(${pid});`)
          .join(' ')}`,
      },
    );
    this.runs = runs;
  }
}

export function runText({ kind, processor, slot, pid }: Run): string {
  const what = [processor === undefined ? kind : shown(processor), slot && `slot ${slot}`];
  const hand = kind === 'by hand' && processor !== undefined ? ' by hand' : '';
  return `${what.filter(Boolean).join(' ')}${hand} (pid ${pid})`;
}

/** Waits until no run is left, since what they call is about to change. Processing is held. */
export async function awaitNoRuns(
  work: ClientBase,
  settings: Settings,
  { drainSeconds, onDrain }: Drain,
): Promise<void> {
  const all = () => readRuns(work, settings);
  const late = await awaitNone(all, drainSeconds, (runs) =>
    onDrain?.({ waitSeconds: drainSeconds, runs, cancelled: false }),
  );
  if (late.length === 0) return;
  await cancelRuns(work, settings, late);
  onDrain?.({ waitSeconds: CANCEL_SECONDS, runs: late, cancelled: true });
  // A run within somebody's own transaction is ended by an error at worst, which undoes it. It may be no run at all.
  const left = (await awaitNone(all, CANCEL_SECONDS)).filter(
    ({ kind, processor }) => kind !== 'by hand' || processor !== undefined,
  );
  if (left.length > 0) throw new RunsStillActiveError(left, drainSeconds + CANCEL_SECONDS);
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
  await awaitNone(() => unwantedRuns(work, settings), waitSeconds);
}

/** Looks until there are none or the time is over; returns those that are left. */
export async function awaitNone(
  read: () => Promise<Run[]>,
  waitSeconds: number,
  onWait?: (runs: readonly Run[]) => void,
): Promise<Run[]> {
  const deadline = performance.now() + waitSeconds * 1000;
  for (let looks = 1; ; looks += 1) {
    const runs = await read();
    if (runs.length === 0 || performance.now() > deadline) return runs;
    if (looks === 1) onWait?.(runs);
    await sleep(200);
  }
}

async function unwantedRuns(work: ClientBase, settings: Settings): Promise<Run[]> {
  const runs = (await readRuns(work, settings)).filter(({ kind }) => kind === 'processor');
  if (runs.length === 0) return [];
  const { processorConfig } = deploymentTables(settings);
  const { rows } = await withOwnTables(work, settings, 'read', [processorConfig], () =>
    work.query<{ job_name: string; max_parallel_jobs: number }>(
      `SELECT job_name, max_parallel_jobs FROM ${clientName(settings, processorConfig)} WHERE enabled`,
    ),
  );
  const slots = new Map(rows.map((row) => [row.job_name, row.max_parallel_jobs]));
  return runs.filter(({ processor = '', slot = 0 }) => slot > (slots.get(processor) ?? 0));
}
