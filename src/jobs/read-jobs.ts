import type { ClientBase } from 'pg';
import { cronName } from '../deployment/own-names.js';
import type { Settings } from '../settings/settings.js';
import { isAtRest } from './at-rest.js';
import { requirePgCron } from './require-pg-cron.js';

export interface JobStatus {
  readonly jobId: number;
  readonly jobName: string;
  readonly schedule: string;
  readonly command: string;
  readonly database: string;
  readonly active: boolean;
  /** Whether it is not due until there is work. */
  readonly atRest: boolean;
  readonly lastRun: Date | undefined;
  readonly lastStatus: string | undefined;
  readonly lastMessage: string | undefined;
  readonly nextRun: Date | undefined;
  readonly averageSeconds: number | undefined;
  readonly runs: number;
  readonly failures: number;
}

interface JobRow {
  jobid: string;
  job_name: string;
  schedule: string;
  command: string;
  database: string;
  active: boolean;
  last_run: Date | null;
  last_status: string | null;
  last_message: string | null;
  next_run: Date | null;
  average_seconds: number | null;
  runs: string;
  failures: string;
}

/** This deployment's pg_cron jobs, with the results of their runs. */
export async function readJobs(cron: ClientBase, settings: Settings): Promise<JobStatus[]> {
  await requirePgCron(cron, settings);
  const { rows } = await cron.query<JobRow>(
    `SELECT jobid, job_name, schedule, command, database, active, last_run, last_status, last_message, next_run,
            extract(epoch FROM average_duration)::float8 AS average_seconds, runs, failures
       FROM ${cronName(settings, 'jobs')} ORDER BY job_name`,
  );
  return rows.map((row) => ({
    jobId: Number(row.jobid),
    jobName: row.job_name,
    schedule: row.schedule,
    command: row.command,
    database: row.database,
    active: row.active,
    atRest: isAtRest(row),
    lastRun: row.last_run ?? undefined,
    lastStatus: row.last_status ?? undefined,
    lastMessage: row.last_message ?? undefined,
    nextRun: row.next_run ?? undefined,
    averageSeconds: row.average_seconds ?? undefined,
    runs: Number(row.runs),
    failures: Number(row.failures),
  }));
}
