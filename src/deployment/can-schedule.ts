import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { CALLED } from './stand-ins.js';

const ROUTINES = ['desired_jobs', 'mark_synced', 'sync_cron', ...CALLED];

/** Whether all is there that decides on the jobs, and that they call; not after a rollback of a part of the stream. */
export async function canSchedule(work: ClientBase, { schema }: Settings): Promise<boolean> {
  for (const routine of ROUTINES) {
    if (!(await hasRoutine(work, schema, routine))) return false;
  }
  return true;
}
