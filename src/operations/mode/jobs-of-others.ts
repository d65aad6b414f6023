import type { ClientBase } from 'pg';
import { hasDatabase } from '../../database/catalogue.js';
import { ConnectionError } from '../../database/connection-error.js';
import type { CronPlace } from '../../deployment/cron-place.js';
import { type OtherJob, readOtherJobs, scheduleLine } from '../../jobs/other-jobs.js';
import type { Settings } from '../../settings/settings.js';
import { asWhoSeesMost } from '../as-who-sees-most.js';

/** The jobs of others in one pg_cron, and what the move of pg_cron means for them. */
export interface JobsOfOthers {
  readonly database: string;
  /** Once the server has restarted; and when it has. */
  readonly effect: 'stop' | 'start' | 'stopped';
  readonly jobs: readonly OtherJob[];
  /** Why there may be more; left out where all were seen. */
  readonly unseen?: string;
}

export async function jobsOfOthers(
  settings: Settings,
  database: string,
  effect: JobsOfOthers['effect'],
): Promise<JobsOfOthers> {
  try {
    return await asWhoSeesMost(settings, { ...settings.cron, database }, async (client, user) => {
      const { jobs, isComplete } = await readOtherJobs(client, settings);
      return {
        database,
        effect,
        jobs,
        ...(isComplete ? {} : { unseen: `pg_cron shows role "${user}" none but its own` }),
      };
    });
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return { database, effect, jobs: [], unseen: error.message };
  }
}

/** Those of the database that the cron stream has left, as far as the new place does not have them. */
export async function jobsLeftBehind(
  work: ClientBase,
  settings: Settings,
  place: CronPlace | undefined,
): Promise<JobsOfOthers[]> {
  const { database } = settings.cron;
  const from = place?.database === database ? place.before : place?.database;
  if (from === undefined || from === database || !(await hasDatabase(work, from))) return [];
  const stopped = await jobsOfOthers(settings, from, 'stopped');
  const there = (await jobsOfOthers(settings, database, 'start')).jobs.map(scheduleLine);
  const jobs = stopped.jobs.filter((job) => !there.includes(scheduleLine(job)));
  return jobs.length === 0 && stopped.unseen === undefined ? [] : [{ ...stopped, jobs }];
}

/** The lines that make them again in the new place; those of this package's deployments move by their own command. */
export function carryOver(others: readonly JobsOfOthers[]): string[] {
  const lines = (isTheirs: (found: JobsOfOthers) => boolean) =>
    others
      .filter(isTheirs)
      .flatMap(({ jobs }) => jobs.filter(({ isOfPackage }) => !isOfPackage).map(scheduleLine));
  const there = lines(({ effect }) => effect === 'start');
  return lines(({ effect }) => effect !== 'start').filter((line) => !there.includes(line));
}
