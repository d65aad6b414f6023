import type { ClientBase } from 'pg';
import { visibleSetting } from '../database/visible-setting.js';
import { type CronSide, readJobsOf } from './left-behind.js';
import { callsHere, callsWork } from './own-commands.js';

/** What pg_cron's history says of a deployment's runs, as far back as it is kept. */
export interface RunsOfFleet {
  readonly failedLastHour: number;
  readonly lastSuccess: Date | undefined;
}

/** By the number of the job, of all jobs of the connected role: the history has no index, so it is read once. */
export async function readRunsByJob(cron: ClientBase): Promise<ReadonlyMap<number, RunsOfFleet>> {
  const { rows } = await cron.query<{ jobid: string; failed: number; last_success: Date | null }>(
    `SELECT jobid,
            (count(*) FILTER (WHERE status = 'failed'
                                AND start_time > pg_catalog.now() - interval '1 hour'))::float8 AS failed,
            max(end_time) FILTER (WHERE status = 'succeeded') AS last_success
       FROM cron.job_run_details WHERE username = current_user GROUP BY jobid`,
  );
  return new Map(
    rows.map(({ jobid, failed, last_success }) => [
      Number(jobid),
      { failedLastHour: failed, lastSuccess: last_success ?? undefined },
    ]),
  );
}

/** Of the jobs of one deployment together. */
export async function readRunsOf(
  cron: ClientBase,
  side: CronSide,
  byJob: ReadonlyMap<number, RunsOfFleet>,
): Promise<RunsOfFleet & { readonly jobs: number }> {
  const jobs = await readJobsOf(cron, side);
  const runs = jobs.flatMap(({ jobId }) => byJob.get(jobId) ?? []);
  const times = runs.flatMap(({ lastSuccess }) => lastSuccess?.getTime() ?? []);
  return {
    jobs: jobs.length,
    failedLastHour: runs.reduce((sum, { failedLastHour }) => sum + failedLastHour, 0),
    lastSuccess: times.length === 0 ? undefined : new Date(Math.max(...times)),
  };
}

/**
 * How many sessions run a job of this deployment now. Of sessions, not of the history: a setting of pg_cron's turns that
 * off, and a crash of the server leaves runs in it that never ended.
 */
export async function readPlacesHeld(
  cron: ClientBase,
  { schema, workDatabase, workSchema }: CronSide,
): Promise<number> {
  const { rows } = await cron.query<{ held: number }>(
    `SELECT count(*)::integer AS held FROM pg_catalog.pg_stat_activity
      WHERE usename = current_user AND state <> 'idle'
        AND ((datname = $1 AND ${callsWork('query', '$2::text')})
             OR (datname = pg_catalog.current_database() AND ${callsHere('query', '$3::text')}))`,
    [workDatabase, workSchema, schema],
  );
  return rows[0]?.held ?? 0;
}

/** How many jobs pg_cron runs at once; undefined where this role may not read that. */
export async function readPlaces(cron: ClientBase): Promise<number | undefined> {
  const setting = await visibleSetting(cron, 'cron.max_running_jobs');
  return setting === undefined ? undefined : Number(setting);
}
