import { shown } from '../../errors/shown.js';
import type { AppliedAction } from '../../jobs/apply-jobs.js';
import type { Settings } from '../../settings/settings.js';
import { counted } from './text.js';

/** What was done to pg_cron's jobs; empty if nothing was. */
export function jobActions(settings: Settings, actions: readonly AppliedAction[]): string {
  if (actions.length === 0) return '';
  return [
    `Changed ${counted(actions.length, 'job')} of pg_cron in database "${settings.cron.database}":`,
    ...actions.map(({ action, jobName }) => `  ${action} ${shown(jobName)}`),
  ].join('\n');
}
