import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { hasExtension, hasRoutine } from '../database/catalogue.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { ownName } from '../deployment/own-names.js';
import { readOtherJobs } from '../jobs/other-jobs.js';
import type { Settings } from '../settings/settings.js';
import { asWhoSeesMost } from './as-who-sees-most.js';

/** A session of pg_cron in the work database that is no run of this deployment. */
export interface AlienSession {
  readonly pid: number;
  readonly role: string | null;
}

/** A job that pg_cron starts in the work database and that is not of this deployment. What it runs is its role's to know. */
export interface AlienJob {
  readonly jobId: number;
  readonly jobName: string | null;
  readonly role: string;
}

export interface AlienWork {
  readonly sessions: readonly AlienSession[];
  readonly jobs: readonly AlienJob[];
  /** Whether PartitionCache's own processor is set up in this database. */
  readonly ownTool: boolean;
}

/** What else works on the database, as far as these roles may see it; why the rest is unknown goes to `unknown`. */
export async function readAlienWork(
  work: ClientBase,
  settings: Settings,
  unknown: string[],
): Promise<AlienWork> {
  const known = async <T>(what: string, fallback: T, read: () => Promise<T>) => {
    try {
      return await read();
    } catch (error) {
      unknown.push(`${what}: ${describeRefusal(error)}`);
      return fallback;
    }
  };
  return {
    sessions: await known('other sessions of pg_cron', [], () => alienSessions(work, settings)),
    ownTool: await known("PartitionCache's own processor", false, () =>
      hasRoutine(work, settings.clientSchema, 'partitioncache_run_single_job_with_params'),
    ),
    jobs: await known(`other jobs of pg_cron in database "${settings.cron.database}"`, [], () =>
      asWhoSeesMost(settings, settings.cron, (cron) => alienJobs(cron, settings, unknown)),
    ),
  };
}

// A run of ours shows itself only once it is in our code, and a little less long than it is connected.
const BETWEEN_LOOKS_MS = 500;

async function alienSessions(work: ClientBase, settings: Settings): Promise<AlienSession[]> {
  const ours = await ownPids(work, settings);
  return asWhoSeesMost(settings, settings.work, async (client) => {
    const first = await otherSessions(client, ours);
    if (first.length === 0) return [];
    await sleep(BETWEEN_LOOKS_MS);
    const stillThere = await otherSessions(client, [...ours, ...(await ownPids(work, settings))]);
    return stillThere
      .filter(({ pid, since }) => first.some((one) => one.pid === pid && one.since === since))
      .map(({ pid, role }) => ({ pid, role }));
  });
}

async function ownPids(work: ClientBase, settings: Settings): Promise<number[]> {
  const { rows } = await work.query<{ pid: number }>(
    `SELECT pid FROM ${ownName(settings, 'runs_1')}`,
  );
  return rows.map(({ pid }) => pid);
}

async function otherSessions(
  client: ClientBase,
  ours: readonly number[],
): Promise<(AlienSession & { readonly since: string })[]> {
  const { rows } = await client.query<AlienSession & { readonly since: string }>(
    `SELECT pid, usename AS role, coalesce(backend_start::text, '') AS since
       FROM pg_catalog.pg_stat_activity
      WHERE datname = pg_catalog.current_database() AND application_name = 'pg_cron'
        AND pid <> ALL ($1) ORDER BY pid`,
    [ours],
  );
  return rows;
}

async function alienJobs(
  cron: ClientBase,
  settings: Settings,
  unknown: string[],
): Promise<AlienJob[]> {
  if (!(await hasExtension(cron, 'pg_cron'))) {
    unknown.push(
      `other jobs of pg_cron: it is not in database "${settings.cron.database}" at this moment`,
    );
    return [];
  }
  const { jobs, isComplete } = await readOtherJobs(cron, settings);
  if (!isComplete) {
    unknown.push(
      `jobs of other roles than "${settings.cron.user}": pg_cron shows them, and the server what they run, to their own role and to superusers only (set PG_ADMIN_USER to have this command look as one)`,
    );
  }
  return jobs
    .filter(({ active, database }) => active && database === settings.work.database)
    .map(({ jobId, jobName = null, role }) => ({ jobId, jobName, role }));
}
