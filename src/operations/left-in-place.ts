import type { ClientBase } from 'pg';
import { hasExtension, hasRelation } from '../database/catalogue.js';
import type { StreamState } from '../deployment/stream-plan.js';
import type { ReachedDatabases } from '../deployment/with-databases.js';
import type { Settings } from '../settings/settings.js';
import type { RollbackStep } from './rollback-plan.js';
import { remaining } from './rollback-states.js';

/** Whether what it takes to drop the extensions that we created is deployed. */
export function managesExtensions(work: ClientBase, { schema }: Settings): Promise<boolean> {
  return hasRelation(work, schema, 'created_extension');
}

/** What a rollback has left in place, in words. */
export async function leftInPlace(
  { work, cron }: ReachedDatabases,
  settings: Settings,
  states: readonly StreamState[],
  steps: readonly RollbackStep[],
  extensionsBefore: boolean,
): Promise<string[]> {
  const left: string[] = [];
  if (remaining(states, steps, 'work') > 0 && steps.some(({ stream }) => stream === 'cron')) {
    left.push(
      `queue, configuration, log and cache in database "${settings.work.database}", as far as their migrations are still applied`,
    );
  }
  if (cron && remaining(states, steps, 'cron') === 0 && (await hasExtension(cron, 'pg_cron'))) {
    left.push(
      `the extension pg_cron and the grants on it in database "${settings.cron.database}": other jobs may need them`,
    );
  }
  // It was dropped if this deployment had created it, nothing else uses it, and no restore gave it to another role.
  if (
    extensionsBefore &&
    !(await managesExtensions(work, settings)) &&
    (await hasExtension(work, 'intarray'))
  ) {
    left.push(
      `the extension intarray in database "${settings.work.database}": it was there before, something else uses it, or it belongs to another role, as after a restore`,
    );
  }
  return left;
}
