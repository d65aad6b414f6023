import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { ownName } from './own-names.js';

/** Whether pg_cron was not told yet, by what the work database knows, of all that the configuration says. */
export async function areJobsPending(work: ClientBase, settings: Settings): Promise<boolean> {
  // What was rolled back so far has taken the jobs along.
  if (!(await hasRelation(work, settings.schema, 'sync_pending'))) return true;
  const { rows } = await work.query<{ pending: boolean }>(
    `SELECT pg_cron_version IS NULL OR EXISTS (SELECT FROM ${ownName(settings, 'sync_pending')}) AS pending
       FROM ${ownName(settings, 'deployment')}`,
  );
  return rows[0]?.pending === true;
}
