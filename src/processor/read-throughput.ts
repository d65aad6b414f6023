import type { ClientBase } from 'pg';
import { ownName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';

/** What a processor settled in the last `minutes` minutes. */
export interface Throughput {
  readonly processor: string;
  readonly minutes: number;
  readonly settled: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Already cached, so not evaluated. */
  readonly skipped: number;
  /** Settled fragments per second. */
  readonly perSecond: number;
  /** How long the evaluations took; left out when there were none. */
  readonly evaluationMs: EvaluationTimes | undefined;
}

export interface EvaluationTimes {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** The last 1, 5 and 15 minutes of each processor, by name. */
export async function readThroughput(work: ClientBase, settings: Settings): Promise<Throughput[]> {
  const { rows } = await work.query<
    Omit<Throughput, 'evaluationMs'> & { p50: number | null; p95: number; p99: number; max: number }
  >(
    `SELECT job_name AS processor, minutes, settled::float8, succeeded::float8, failed::float8,
            timed_out::float8 AS "timedOut", skipped::float8, per_second::float8 AS "perSecond",
            p50_ms::float8 AS p50, p95_ms::float8 AS p95, p99_ms::float8 AS p99, max_ms::float8 AS max
       FROM ${ownName(settings, 'throughput')} ORDER BY job_name, minutes`,
  );
  return rows.map(({ p50, p95, p99, max, ...row }) => ({
    ...row,
    evaluationMs: p50 === null ? undefined : { p50, p95, p99, max },
  }));
}
