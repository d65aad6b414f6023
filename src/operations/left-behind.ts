import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import {
  type CronSide,
  type OwnJob,
  readCronSides,
  readJobsOf,
  readJobsOfNoDatabase,
} from '../jobs/left-behind.js';

/** What a work database that was dropped has left in the pg_cron database. */
export interface LeftBehind {
  readonly workDatabase: string;
  /** Of its deployments. */
  readonly schemas: readonly CronSide[];
  readonly jobs: readonly OwnJob[];
  /** How many runs of its jobs the history has. */
  readonly runs: number;
}

export interface Survey {
  readonly dropped: readonly LeftBehind[];
  /** What only is called otherwise now, and has to be adopted there. */
  readonly renamed: readonly { readonly workDatabase: string; readonly nameNow: string }[];
  /** Schemas of other roles; what is in them and which jobs belong to them is unknown to this one. */
  readonly unseen: readonly string[];
}

/**
 * What belongs to databases that do not exist, as far as the connected role owns it. `runs`: how many runs the history
 * has of each such database, where that matters.
 */
export async function surveyLeftBehind(
  cron: ClientBase,
  runs: ReadonlyMap<string, number> = new Map(),
): Promise<Survey> {
  if (!(await hasRelation(cron, 'cron', 'job'))) return { dropped: [], renamed: [], unseen: [] };
  const { own, others } = await readCronSides(cron);
  const nameless = own.filter(({ nameInUse }) => !nameInUse);
  const renamed = nameless.flatMap(({ workDatabase, nameNow }) =>
    nameNow === undefined ? [] : [{ workDatabase, nameNow }],
  );
  const jobs = await readJobsOfNoDatabase(cron);
  const names = [
    ...nameless.map(({ workDatabase }) => workDatabase),
    ...jobs.map(({ database }) => database),
    ...runs.keys(),
  ].filter((name) => !renamed.some(({ workDatabase }) => workDatabase === name));
  const dropped: LeftBehind[] = [];
  for (const workDatabase of [...new Set(names)].sort()) {
    const schemas = nameless.filter((side) => side.workDatabase === workDatabase);
    const found = new Map<number, OwnJob>();
    for (const job of jobs) if (job.database === workDatabase) found.set(job.jobId, job);
    for (const side of schemas) {
      for (const job of await readJobsOf(cron, side)) found.set(job.jobId, job);
    }
    dropped.push({
      workDatabase,
      schemas,
      jobs: [...found.values()].sort((a, b) => (a.jobName < b.jobName ? -1 : 1)),
      runs: runs.get(workDatabase) ?? 0,
    });
  }
  return { dropped, renamed, unseen: others };
}
