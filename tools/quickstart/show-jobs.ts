import type { Style } from '../../src/cli/output/style.js';
import { table } from '../../src/cli/output/table.js';
import { counted, indented } from '../../src/cli/output/text.js';
import { withClient } from '../../src/database/connect.js';
import { readJobs } from '../../src/jobs/read-jobs.js';
import type { Settings } from '../../src/settings/settings.js';
import { clockTime } from './clock-time.js';
import { type JobRun, latestRuns, processorJobs } from './cron-jobs.js';
import type { Output } from './output.js';

const runsShown = 6;

/** Shows pg_cron's jobs and their runs. */
export async function showJobs(settings: Settings, { say, style }: Output): Promise<void> {
  await withClient(settings.cron, async (cron) => {
    for (const job of await readJobs(cron, settings)) {
      const schedule = job.atRest ? 'at rest until there is work' : `'${job.schedule}'`;
      say(`  ${job.jobName}, ${schedule}, in database ${job.database}: ${job.command}`);
      say(
        `    ${counted(job.runs, 'run')}, ${job.failures} failed; last: ${job.lastStatus ?? 'none'}`,
      );
    }
    say('');
    say(style.bold("The latest runs of the processor's jobs that have ended"));
    const runs = await latestRuns(cron, settings, await processorJobs(cron, settings), 30);
    const ended = runs.filter(({ seconds }) => seconds !== undefined);
    say(indented(runTable(style, ended.slice(0, runsShown))));
  });
}

export function runTable(style: Style, runs: readonly JobRun[]): string {
  return table(
    style,
    ['job', 'status', 'started', 'seconds', 'message'],
    runs.map(({ jobName, status, started, seconds, message }) => [
      jobName,
      status,
      started === undefined ? '' : clockTime(started),
      seconds === undefined ? '' : seconds.toFixed(3),
      message ?? '',
    ]),
  );
}
