import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { sqlState } from '../database/database-error.js';
import { visibleSetting } from '../database/visible-setting.js';
import { withClientIfReachable } from '../database/with-client-if-reachable.js';
import { cronName, ownName } from '../deployment/own-names.js';
import type { Databases } from '../deployment/with-databases.js';
import { shown } from '../errors/shown.js';
import { asAdministrator, type Settings } from '../settings/settings.js';

/**
 * Whether pg_cron starts the active jobs of its database: `none` that it does not, `unseen` that none was seen where one
 * should have been, which is no proof, `early` that none was due for long enough yet.
 */
export interface Launch {
  readonly verdict: 'starting' | 'none' | 'unseen' | 'early';
  /** A sentence. */
  readonly detail: string;
}

/**
 * A job that is due each minute has begun by then: with pg_cron 1.4 at the next full minute, and a busy pg_cron begins
 * late.
 */
const GRACE_SECONDS = 180;

// Between two runs of a job there is no session of it for a moment.
const LOOKS = 3;
const PAUSE_MS = 700;

/**
 * By cron.launch_active_jobs (pg_cron 1.6) where our role or the administrator may see it; else by whether the jobs of
 * ours that are due at least once a minute are started.
 */
export async function judgeLaunch(
  databases: Databases,
  settings: Settings,
  { graceSeconds = GRACE_SECONDS } = {},
): Promise<Launch> {
  const launches = await readSetting(databases.cron, settings, 'cron.launch_active_jobs');
  if (launches === 'off') {
    return {
      verdict: 'none',
      detail: 'pg_cron of this server starts no job: cron.launch_active_jobs is off.',
    };
  }
  if (launches !== 'hidden') {
    return { verdict: 'starting', detail: 'No setting keeps pg_cron from starting jobs.' };
  }
  for (let look = 1; ; look += 1) {
    const found = await judgeByRuns(databases, settings, graceSeconds);
    if (look === LOOKS || (found.verdict !== 'none' && found.verdict !== 'unseen')) return found;
    await sleep(PAUSE_MS);
  }
}

/** Undefined where this pg_cron does not have it. */
async function readSetting(
  cron: ClientBase,
  { cron: place, admin }: Settings,
  name: string,
): Promise<string | undefined> {
  const found = await settingAsSeen(cron, name);
  if (found !== 'hidden' || admin === undefined) return found;
  return withClientIfReachable(asAdministrator(place, admin), async ({ client }) =>
    client ? settingAsSeen(client, name) : found,
  );
}

async function settingAsSeen(client: ClientBase, name: string): Promise<string | undefined> {
  const visible = await visibleSetting(client, name);
  if (visible !== undefined) return visible;
  try {
    // What is not visible is hidden if this fails; else there is none.
    await client.query('SELECT pg_catalog.current_setting($1, true)', [name]);
    return undefined;
  } catch (error) {
    if (sqlState(error) === '42501') return 'hidden';
    throw error;
  }
}

interface JobRow {
  readonly jobid: string;
  readonly is_at_work: boolean;
  /** When a run of it began last. */
  readonly started: Date | null;
  /** When a run of it began or ended last, or the server or its settings did. */
  readonly seen: Date;
  /** Whether pg_cron has written a run of it down since the server was started, and so still does. */
  readonly is_logged: boolean;
  readonly now: Date;
}

async function judgeByRuns(
  { work, cron }: Databases,
  settings: Settings,
  graceSeconds: number,
): Promise<Launch> {
  const jobs = await readFrequentJobs(cron, settings);
  const told = await readTold(work, settings);
  const isRecent = (time: Date, { now }: JobRow) =>
    now.getTime() - time.getTime() <= graceSeconds * 1000;
  if (jobs.some((job) => job.started !== null && isRecent(job.started, job))) {
    return { verdict: 'starting', detail: 'A job of this deployment was started lately.' };
  }
  const overdue = jobs.flatMap((job) => {
    const since = told.get(job.jobid);
    if (since === undefined || job.is_at_work) return [];
    const quiet = new Date(Math.max(since.getTime(), job.seen.getTime()));
    return isRecent(quiet, job) ? [] : [quiet];
  });
  const [first] = overdue.sort((one, other) => one.getTime() - other.getTime());
  if (first === undefined) {
    return {
      verdict: 'early',
      detail: 'No job of this deployment has been due for long enough to tell.',
    };
  }
  const hidden = `hidden from role "${shown(settings.cron.user)}"`;
  const isLogged =
    jobs.some((job) => job.is_logged) ||
    (await readSetting(cron, settings, 'cron.log_run')) === 'on';
  return isLogged
    ? {
        verdict: 'none',
        detail: `pg_cron has started no job of this deployment since ${first.toISOString()}, though they are due at least once a minute: either cron.launch_active_jobs is off, which is ${hidden}, or the jobs of others take all of cron.max_running_jobs.`,
      }
    : {
        verdict: 'unseen',
        detail: `Whether pg_cron starts jobs is not known: none of this deployment was seen since ${first.toISOString()}, though they are due at least once a minute. cron.launch_active_jobs or cron.log_run may be off; both are ${hidden}.`,
      };
}

/** Those that pg_cron has to start at least once a minute, unless they are at work. */
async function readFrequentJobs(cron: ClientBase, settings: Settings): Promise<JobRow[]> {
  const { rows } = await cron.query<JobRow>(
    `SELECT job.jobid, session.began IS NOT NULL AS is_at_work,
            greatest(run.began, session.began) AS started,
            greatest(run.began, run.ended, session.began, pg_catalog.pg_conf_load_time(),
                     pg_catalog.pg_postmaster_start_time()) AS seen,
            coalesce(run.began > pg_catalog.pg_postmaster_start_time(), false) AS is_logged,
            pg_catalog.clock_timestamp() AS now
       FROM ${cronName(settings, 'own_jobs')}() AS job
       LEFT JOIN LATERAL (
         -- A run that could not log in has an end alone.
         SELECT coalesce(start_time, end_time) AS began, end_time AS ended
           FROM cron.job_run_details AS details
          WHERE details.jobid = job.jobid AND coalesce(start_time, end_time) IS NOT NULL
          ORDER BY runid DESC LIMIT 1
       ) AS run ON true
       LEFT JOIN LATERAL (
         SELECT max(activity.backend_start) AS began
           FROM pg_catalog.pg_stat_activity AS activity
          WHERE activity.usename = current_user AND activity.application_name = 'pg_cron'
            AND activity.datname = job.database AND activity.query = job.command
       ) AS session ON true
      WHERE job.active AND (job.schedule ~ '^[0-9]+ seconds$' OR job.schedule = '* * * * *')`,
  );
  return rows;
}

/** Since when pg_cron has been told of each job as it is. */
async function readTold(work: ClientBase, settings: Settings): Promise<ReadonlyMap<string, Date>> {
  const { rows } = await work.query<{ job_id: string; applied_at: Date }>(
    `SELECT job_id, applied_at FROM ${ownName(settings, 'applied_job')}`,
  );
  return new Map(rows.map(({ job_id, applied_at }) => [job_id, applied_at]));
}
