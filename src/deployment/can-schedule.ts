import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';

/** What jobs call in the work database. */
export const CALLED_BY_JOBS = ['run_processor', 'run_maintenance'] as const;

const ROUTINES = ['desired_jobs', 'mark_synced', 'sync_cron', ...CALLED_BY_JOBS];

/** Whether all is there that decides on the jobs, and that they call; not after a rollback of a part of the stream. */
export async function canSchedule(work: ClientBase, { schema }: Settings): Promise<boolean> {
  for (const routine of ROUTINES) {
    if (!(await hasRoutine(work, schema, routine))) return false;
  }
  return true;
}
