import { shown } from '../../errors/shown.js';
import type { AppliedAction } from '../../jobs/apply-jobs.js';
import type { Settings } from '../../settings/settings.js';
import { counted, paragraphs } from './text.js';

/** What was done to pg_cron's jobs, and which others were left; empty if there is neither. */
export function jobActions(settings: Settings, actions: readonly AppliedAction[]): string {
  const changed = actions.filter(({ action }) => action !== 'left');
  const left = actions.filter(({ action }) => action === 'left');
  const where = `of pg_cron in database "${settings.cron.database}"`;
  return paragraphs(
    list(`Changed ${counted(changed.length, 'job')} ${where}:`, changed),
    list(
      `Left ${counted(left.length, 'job')} ${where} that this package did not make; ` +
        `"${settings.cron.user}" can remove what is not needed by cron.unschedule(jobid):`,
      left,
    ),
  );
}

function list(heading: string, actions: readonly AppliedAction[]): string {
  if (actions.length === 0) return '';
  return [heading, ...actions.map(({ action, jobName }) => `  ${action} ${shown(jobName)}`)].join(
    '\n',
  );
}
