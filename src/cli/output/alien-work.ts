import { shown } from '../../errors/shown.js';
import type { AlienWork } from '../../operations/alien-work.js';
import type { Settings } from '../../settings/settings.js';
import type { Style } from './style.js';

/** What a pause does not reach, with the lines that stop it. */
export function alienText(
  settings: Settings,
  { sessions, jobs, ownTool }: AlienWork,
  style: Style,
): string {
  const lines = [
    ownTool &&
      `PartitionCache's own processor is set up in database "${settings.work.database}" as well; its jobs heed no pause.`,
    ...jobs.map(
      ({ jobId, jobName, role }) =>
        `Not of this deployment, and not stopped: job ${jobId} ${shown(jobName ?? '(without a name)')} of role "${shown(role)}". As an administrator in database "${settings.cron.database}": SELECT cron.alter_job(${jobId}, active := false);`,
    ),
    ...sessions.map(
      ({ pid, role }) =>
        `pg_cron runs something else here: pid ${pid}, role "${shown(role ?? 'unknown')}". To cancel it, as that role: SELECT pg_cancel_backend(${pid});`,
    ),
  ];
  return lines
    .filter((line) => line !== false)
    .map(style.warning)
    .join('\n');
}
