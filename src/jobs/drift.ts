import type { ClientBase } from 'pg';
import { cronName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';
import type { DesiredJob } from './apply-jobs.js';
import { requirePgCron } from './require-pg-cron.js';

/**
 * `impostor`: it carries one of this deployment's names, but is not of its making; a sync removes it.
 * `foreign`: another job of the cron role in the work database; a sync leaves it.
 */
export type DriftProblem = 'missing' | 'altered' | 'orphaned' | 'impostor' | 'foreign';

export interface Drift {
  readonly jobName: string;
  readonly problem: DriftProblem;
  readonly desired: string | undefined;
  readonly actual: string | undefined;
}

interface DriftRow {
  job_name: string;
  problem: DriftProblem;
  desired: string | null;
  actual: string | null;
}

/** How pg_cron's jobs differ from the desired ones. */
export async function readDrift(
  cron: ClientBase,
  settings: Settings,
  desired: readonly DesiredJob[],
): Promise<Drift[]> {
  await requirePgCron(cron, settings);
  const { rows } = await cron.query<DriftRow>(
    `SELECT job_name, problem, desired, actual FROM ${cronName(settings, 'drift')}($1::jsonb)`,
    [JSON.stringify(desired)],
  );
  return rows.map((row) => ({
    jobName: row.job_name,
    problem: row.problem,
    desired: row.desired ?? undefined,
    actual: row.actual ?? undefined,
  }));
}
