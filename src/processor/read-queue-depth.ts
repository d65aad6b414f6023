import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

export interface QueueDepth {
  readonly queued: number;
  /** How many of these are not due yet, because they wait for a retry. */
  readonly waiting: number;
  /** How many seconds the oldest has been queued. */
  readonly oldestSeconds: number | undefined;
  /** The highest priority first. */
  readonly priorities: readonly PriorityDepth[];
}

export interface PriorityDepth {
  readonly priority: number;
  readonly queued: number;
  readonly waiting: number;
  /** How many have been queued for more than a minute, including those over ten minutes and over an hour. */
  readonly over1Minute: number;
  readonly over10Minutes: number;
  readonly over1Hour: number;
  readonly oldestSeconds: number | undefined;
}

/** The queue of fragments, which all processors of the deployment share. */
export async function readQueueDepth(work: ClientBase, settings: Settings): Promise<QueueDepth> {
  // Counts are read as double precision, which is exact up to 2^53; bigint would arrive as text.
  const { rows } = await work.query<
    Omit<PriorityDepth, 'oldestSeconds'> & { oldest: number | null }
  >(
    `SELECT priority, queued::float8, waiting::float8, over_1_minute::float8 AS "over1Minute",
            over_10_minutes::float8 AS "over10Minutes", over_1_hour::float8 AS "over1Hour",
            extract(epoch FROM oldest_age)::float8 AS oldest
       FROM ${ownName(settings, 'queue_depth')} ORDER BY priority DESC`,
  );
  const priorities = rows.map(({ oldest, ...row }) => ({
    ...row,
    oldestSeconds: oldest ?? undefined,
  }));
  const ages = priorities.flatMap(({ oldestSeconds }) => oldestSeconds ?? []);
  return {
    queued: sum(priorities.map(({ queued }) => queued)),
    waiting: sum(priorities.map(({ waiting }) => waiting)),
    oldestSeconds: ages.length === 0 ? undefined : Math.max(...ages),
    priorities,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
