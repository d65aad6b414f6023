import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { CALLED } from './stand-ins.js';

/** What has to be in the work database: that decides on the jobs, and that they call. */
export const NEEDED_BY_JOBS = ['desired_jobs', 'mark_synced', 'sync_cron', ...CALLED];

/** What jobs in the pg_cron database call, by the kind of the job. */
export const CALLED_BY: Readonly<Record<string, string>> = {
  history: 'prune_job_runs',
  dispatch: 'dispatch',
};

export const CALLED_THERE = Object.values(CALLED_BY);

/** Whether the jobs can be scheduled; not after a rollback of a part of the work stream. */
export async function canSchedule(work: ClientBase, { schema }: Settings): Promise<boolean> {
  for (const routine of NEEDED_BY_JOBS) {
    if (!(await hasRoutine(work, schema, routine))) return false;
  }
  return true;
}

/** Whether all jobs can be scheduled that run in the pg_cron database. */
export async function canScheduleThere(
  cron: ClientBase,
  { cronSchema }: Settings,
): Promise<boolean> {
  for (const routine of ['apply_jobs', ...CALLED_THERE]) {
    if (!(await hasRoutine(cron, cronSchema, routine))) return false;
  }
  return true;
}
