import { withClient } from '../../src/database/connect.js';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { Settings } from '../../src/settings/settings.js';
import { jobsThatSucceeded, processorJobs, startsAtFullMinutes } from './cron-jobs.js';
import type { Output } from './output.js';
import { waitUntil } from './wait-until.js';

const deadlineSeconds = 90;

/** Waits until every job for the queue has a run that succeeded. */
export async function awaitFirstRuns(settings: Settings, output: Output): Promise<void> {
  await withClient(settings.cron, async (cron) => {
    const jobs = await processorJobs(cron, settings);
    const ended = async () => {
      const succeeded = await jobsThatSucceeded(cron, settings, jobs);
      output.progress(`  ${succeeded} of ${jobs.length} jobs have a run that ended`);
      return succeeded === jobs.length;
    };
    const wait = async () => {
      if (await waitUntil(ended, deadlineSeconds)) return;
      throw new Error(`not every job for the queue has ended a run within ${deadlineSeconds} s`);
    };
    await (startsAtFullMinutes(jobs) ? withShortRuns(settings, output, wait) : wait());
  });
}

/**
 * Where pg_cron starts jobs every minute, a run polls the queue until the next one starts. With a frequency of a
 * minute it has nothing left to wait for; the jobs themselves do not change.
 */
async function withShortRuns(
  settings: Settings,
  { say }: Output,
  wait: () => Promise<void>,
): Promise<void> {
  const table = clientName(settings, deploymentTables(settings).processorConfig);
  const setFrequency = (seconds: number) =>
    withClient(settings.work, (work) =>
      work.query(`UPDATE ${table} SET frequency_seconds = ${seconds}`),
    );
  say(
    '  With this pg_cron, a run lasts a minute and polls the queue every second. To end these runs',
  );
  say('  now, the frequency is set to a minute for a moment: they read it while they run.');
  await setFrequency(60);
  await wait();
  await setFrequency(1);
}
