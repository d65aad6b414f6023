import { hasRelation, hasRoutine } from '../../database/catalogue.js';
import { unlessRefused } from '../../database/unless-refused.js';
import { judgeLaunch, type Launch } from '../../jobs/launch.js';
import { ok, type Remedy, text, warning } from '../check-result.js';
import type { DoctorCheck } from '../context.js';
import { clientOf } from '../reach.js';

/** cron.launch_active_jobs is hidden from all but superusers and pg_read_all_settings. */
export const jobLaunch: DoctorCheck = {
  id: 'job-launch',
  title: 'pg_cron starts jobs',
  needs: ['work-migrations', 'cron-migrations', 'pg-cron-database', 'cron-usage', 'cron-history'],
  run: async ({ settings, work, cron }) => {
    const databases = { work: clientOf(work), cron: clientOf(cron) };
    const canHaveJobs =
      (await hasRelation(databases.work, settings.schema, 'applied_job')) &&
      (await hasRoutine(databases.cron, settings.cronSchema, 'own_jobs'));
    if (!canHaveJobs) return ok('no job has been scheduled yet');
    const { verdict, detail } = await unlessRefused<Launch>(
      () => judgeLaunch(databases, settings),
      (said) => ({
        verdict: 'unseen',
        detail: `Whether pg_cron starts jobs is not known: ${said}`,
      }),
    );
    // A warning: whoever has turned that off may want it so, and up works all the same.
    return verdict === 'starting' || verdict === 'early'
      ? ok(detail)
      : warning(detail, remedyFor(settings.cron.user));
  },
};

function remedyFor(cronRole: string): Remedy {
  return text(
    'administrator',
    'See whether it is off, and why: SHOW cron.launch_active_jobs;',
    'If jobs are to be started: ALTER SYSTEM SET cron.launch_active_jobs = on; SELECT pg_reload_conf();',
    'If it is on: SHOW cron.max_running_jobs; and SHOW cron.log_run; say whether others leave no room, and whether runs are written down.',
    `What is hidden now is seen with PG_ADMIN_USER set, or by a member of pg_read_all_settings, which role "${cronRole}" may be made.`,
  );
}
