import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { CALLED } from './stand-ins.js';

/** What has to be in the work database: that decides on the jobs, and that they call. */
export const NEEDED_BY_JOBS = ['desired_jobs', 'mark_synced', 'sync_cron', ...CALLED];

/** Whether all of that is there; not after a rollback of a part of the stream. */
export async function canSchedule(work: ClientBase, { schema }: Settings): Promise<boolean> {
  for (const routine of NEEDED_BY_JOBS) {
    if (!(await hasRoutine(work, schema, routine))) return false;
  }
  return true;
}
