import { awaitCache } from './await-cache.js';
import { awaitFirstRuns } from './await-first-runs.js';
import { deploy, setupCommand } from './deploy.js';
import { enqueue, enqueueFunction } from './enqueue.js';
import type { QuickstartSettings } from './environment.js';
import { fragments } from './fragments.js';
import type { Output } from './output.js';
import { prepareServer } from './prepare-server.js';
import { createSampleTable, poiCount } from './sample-data.js';
import { showCache } from './show-cache.js';
import { showJobs } from './show-jobs.js';
import { showRoles } from './show-roles.js';

/** Everything on an empty server: deploy, queue, let pg_cron process the queue, check. */
export async function demonstrate(settings: QuickstartSettings, output: Output): Promise<void> {
  const { say } = output;
  const { work, cron, client } = settings;
  const heading = (title: string) => {
    say('');
    say(output.style.bold(title));
  };

  const { postgresql, pgCron } = await prepareServer(settings);
  say(`  PostgreSQL ${postgresql} with pg_cron ${pgCron} at ${work.host}:${work.port}`);
  await createSampleTable(settings);
  say(
    `  database ${work.database} with ${poiCount.toLocaleString('en')} points of interest in ${settings.clientSchema}.pois; pg_cron lives in database ${cron.database}`,
  );

  heading(`Deploying, as this command does: ${setupCommand}`);
  await deploy(settings, output);

  heading(`Queueing ${fragments.length} fragments as ${client.user}, through ${enqueueFunction}`);
  await enqueue(settings, fragments);

  heading("Waiting for pg_cron's jobs to fill the cache");
  await awaitCache(settings, fragments, output);
  await awaitFirstRuns(settings, output);

  heading(`pg_cron's jobs, in database ${cron.database}`);
  await showJobs(settings, output);

  heading(`The cache, as ${client.user} reads it`);
  await showCache(settings, fragments, output);

  heading('The roles');
  await showRoles(settings, output);
}
