import type { ClientBase } from 'pg';
import { cronName } from '../../src/deployment/own-names.js';
import { type JobStatus, readJobs } from '../../src/jobs/read-jobs.js';
import type { Settings } from '../../src/settings/settings.js';

export interface JobRun {
  readonly jobName: string;
  readonly status: string;
  readonly message: string | undefined;
  readonly started: Date | undefined;
  readonly seconds: number | undefined;
}

interface JobRunRow {
  job_name: string;
  status: string;
  return_message: string | null;
  start_time: Date | null;
  seconds: number | null;
}

/** The jobs that process the queue, without those for maintenance. */
export async function processorJobs(cron: ClientBase, settings: Settings): Promise<JobStatus[]> {
  return (await readJobs(cron, settings)).filter(({ command }) =>
    command.includes('run_processor('),
  );
}

/** Before 1.5 pg_cron starts jobs at full minutes only. */
export function startsAtFullMinutes(jobs: readonly JobStatus[]): boolean {
  return jobs.some(({ schedule }) => schedule === '* * * * *');
}

/** The latest runs of these jobs, newest first. */
export async function latestRuns(
  cron: ClientBase,
  settings: Settings,
  jobs: readonly JobStatus[],
  limit: number,
): Promise<JobRun[]> {
  const { rows } = await cron.query<JobRunRow>(
    `SELECT job_name, status, return_message, start_time, extract(epoch FROM duration)::float8 AS seconds
       FROM ${cronName(settings, 'job_runs')} WHERE jobid = ANY ($1) ORDER BY runid DESC LIMIT $2`,
    [jobs.map(({ jobId }) => jobId), limit],
  );
  return rows.map((row) => ({
    jobName: row.job_name,
    status: row.status,
    message: row.return_message ?? undefined,
    started: row.start_time ?? undefined,
    seconds: row.seconds ?? undefined,
  }));
}

/** How many of these jobs have a run that succeeded. */
export async function jobsThatSucceeded(
  cron: ClientBase,
  settings: Settings,
  jobs: readonly JobStatus[],
): Promise<number> {
  const { rows } = await cron.query<{ jobs: number }>(
    `SELECT count(DISTINCT jobid)::integer AS jobs FROM ${cronName(settings, 'job_runs')}
      WHERE jobid = ANY ($1) AND status = 'succeeded'`,
    [jobs.map(({ jobId }) => jobId)],
  );
  return rows[0]?.jobs ?? 0;
}
