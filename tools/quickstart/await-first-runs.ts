import { withClient } from '../../src/database/connect.js';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { Settings } from '../../src/settings/settings.js';
import { jobsThatSucceeded, processorJobs } from './cron-jobs.js';
import type { Output } from './output.js';
import { waitUntil } from './wait-until.js';

const deadlineSeconds = 90;

/**
 * Waits until every job for the queue that was due has a run that succeeded. A run of the first slot stays for a
 * minute unless its processor's frequency is a minute, which it reads while it runs; the jobs themselves do not change.
 */
export async function awaitFirstRuns(settings: Settings, output: Output): Promise<void> {
  output.say(
    '  A run stays for up to a minute and polls the queue every second. To end these runs now, the',
  );
  output.say('  frequency is set to a minute for a moment.');
  await setFrequency(settings, 60);
  await withClient(settings.cron, async (cron) => {
    const ended = async () => {
      // A slot may be woken meanwhile, or put to rest.
      const due = (await processorJobs(cron, settings)).filter(({ atRest }) => !atRest);
      const succeeded = await jobsThatSucceeded(cron, settings, due);
      output.progress(`  ${succeeded} of ${due.length} jobs that are due have a run that ended`);
      return due.length > 0 && succeeded === due.length;
    };
    if (await waitUntil(ended, deadlineSeconds)) return;
    throw new Error(`not every job for the queue has ended a run within ${deadlineSeconds} s`);
  });
  await setFrequency(settings, 1);
}

function setFrequency(settings: Settings, seconds: number): Promise<unknown> {
  const table = clientName(settings, deploymentTables(settings).processorConfig);
  return withClient(settings.work, (work) =>
    work.query(`UPDATE ${table} SET frequency_seconds = $1`, [seconds]),
  );
}
