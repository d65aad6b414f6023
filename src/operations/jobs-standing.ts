import { describeRefusal } from '../database/describe-refusal.js';
import { withDatabases } from '../deployment/with-databases.js';
import { desiredJobs } from '../jobs/apply-jobs.js';
import { readDrift } from '../jobs/drift.js';
import type { Settings } from '../settings/settings.js';

/** Looks whether pg_cron's jobs follow the configuration, and says it in a sentence. */
export async function jobsStandingText(settings: Settings): Promise<string> {
  const jobs = `The jobs of pg_cron in database "${settings.cron.database}"`;
  try {
    const drift = await withDatabases(settings, async ({ work, cron }) =>
      readDrift(cron, settings, await desiredJobs(work, settings)),
    );
    const differing = drift.filter(({ problem }) => problem !== 'foreign').length;
    return differing === 0
      ? `${jobs} are as configured.`
      : `${jobs}: ${differing} ${differing === 1 ? 'is' : 'are'} not as configured.`;
  } catch (error) {
    return `${jobs}: whether they are as configured is unknown: ${describeRefusal(error)}`;
  }
}
