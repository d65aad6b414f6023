import type { ClientBase } from 'pg';
import type { Style } from '../../src/cli/output/style.js';
import { counted } from '../../src/cli/output/text.js';
import { withClient } from '../../src/database/connect.js';
import { clientName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { JobStatus } from '../../src/jobs/read-jobs.js';
import type { Settings } from '../../src/settings/settings.js';
import { clockTime } from './clock-time.js';
import { latestRuns, processorJobs, startsAtFullMinutes } from './cron-jobs.js';
import type { Fragment } from './fragments.js';
import type { Output } from './output.js';
import { runTable } from './show-jobs.js';
import { waitUntil } from './wait-until.js';

const deadlineSeconds = 120;

/** Does nothing but wait until pg_cron's jobs have settled all fragments. */
export async function awaitCache(
  settings: Settings,
  fragments: readonly Fragment[],
  { say, progress, style }: Output,
): Promise<void> {
  const start = performance.now();
  await withClient(settings.client, (client) =>
    withClient(settings.cron, async (cron) => {
      if (startsAtFullMinutes(await processorJobs(cron, settings))) {
        say(
          '  This pg_cron is older than 1.5: it starts jobs at the next full minute, not before.',
        );
      }
      let settled = 0;
      const filled = await waitUntil(async () => {
        settled = await settledFragments(client, settings, fragments);
        progress(
          `  ${settled} of ${fragments.length} fragments settled; ${describe(await processorJobs(cron, settings))}`,
        );
        return settled === fragments.length;
      }, deadlineSeconds);
      if (!filled) {
        throw new Error(
          `after ${deadlineSeconds} s pg_cron's jobs have settled ${settled} of ${fragments.length} fragments.\n${await diagnosis(cron, settings, style)}`,
        );
      }
    }),
  );
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  say(`  all ${fragments.length} fragments settled after ${seconds} s`);
}

async function settledFragments(
  client: ClientBase,
  settings: Settings,
  fragments: readonly Fragment[],
): Promise<number> {
  const { rows } = await client.query<{ settled: number }>(
    `SELECT count(*)::integer AS settled FROM ${clientName(settings, deploymentTables(settings).queries)}
      WHERE query_hash = ANY ($1)`,
    [fragments.map(({ hash }) => hash)],
  );
  return rows[0]?.settled ?? 0;
}

function describe(jobs: readonly JobStatus[]): string {
  const runs = jobs.reduce((sum, job) => sum + job.runs, 0);
  const [first] = jobs;
  const next =
    first?.nextRun && startsAtFullMinutes(jobs)
      ? `, next start at ${clockTime(first.nextRun)}, in ${Math.ceil((first.nextRun.getTime() - Date.now()) / 1000)} s`
      : '';
  return `${counted(runs, 'run')} of ${jobs.length} jobs so far${next}`;
}

async function diagnosis(cron: ClientBase, settings: Settings, style: Style): Promise<string> {
  const jobs = await processorJobs(cron, settings);
  if (jobs.length === 0) return 'pg_cron has no job for the queue.';
  const runs = await latestRuns(cron, settings, jobs, 9);
  if (runs.length === 0) {
    return `pg_cron has ${jobs.length} jobs for the queue and has started none of them.`;
  }
  return `pg_cron's latest runs of the jobs for the queue:\n${runTable(style, runs)}`;
}
