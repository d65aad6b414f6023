import type { ClientBase } from 'pg';
import { hasRelation, hasRoutine } from '../database/catalogue.js';
import { canSchedule } from '../deployment/can-schedule.js';
import { ownName } from '../deployment/own-names.js';
import { readStandIns } from '../deployment/stand-ins.js';
import type { Databases, ReachedDatabases } from '../deployment/with-databases.js';
import { type AppliedAction, removeJobs } from '../jobs/apply-jobs.js';
import { readJobsOf } from '../jobs/left-behind.js';
import type { Settings } from '../settings/settings.js';
import { connectCronSide } from './connect-cron-side.js';

/** Both streams may be rolled back to an earlier release, and then work on as that left them. */
export async function reconnect(
  { work, cron }: ReachedDatabases,
  settings: Settings,
): Promise<readonly AppliedAction[]> {
  const isComplete =
    cron !== undefined &&
    (await canSchedule(work, settings)) &&
    (await readStandIns(work, settings)).length === 0 &&
    (await hasRoutine(cron, settings.cronSchema, 'apply_jobs'));
  return isComplete ? (await connectCronSide({ work, cron }, settings)).actions : [];
}

/** Has nothing scheduled by the time that what jobs call is dropped, or what schedules them. */
export async function takeJobsAway(
  { work, cron }: Databases,
  settings: Settings,
): Promise<readonly AppliedAction[]> {
  if (!(await hasRoutine(cron, settings.cronSchema, 'apply_jobs'))) return [];
  return withoutCronSide({ work, cron }, settings, () => removeJobs(cron, settings));
}

/** Rolls the cron stream back in part by `roll`: a migration unschedules the jobs that call what it drops. */
export async function notingUnscheduled<T>(
  cron: ClientBase,
  { cronSchema, schema, work }: Settings,
  roll: () => Promise<T>,
): Promise<{ readonly result: T; readonly unscheduled: readonly AppliedAction[] }> {
  const read = async () =>
    (await hasRelation(cron, 'cron', 'job'))
      ? readJobsOf(cron, { schema: cronSchema, workDatabase: work.database, workSchema: schema })
      : [];
  const before = await read();
  const result = await roll();
  const after = new Set((await read()).map(({ jobName }) => jobName));
  const gone = before.filter(({ jobName }) => !after.has(jobName));
  return {
    result,
    unscheduled: gone.map(({ jobName }) => ({ action: 'unscheduled', jobName })),
  };
}

/**
 * From here on a change of the configuration waits for `up`; afterwards pg_cron has no job of this deployment. Where
 * `use` fails, all is as before.
 */
export async function withoutCronSide<T>(
  { work, cron }: Pick<ReachedDatabases, 'work' | 'cron'>,
  settings: Settings,
  use: () => Promise<T>,
): Promise<T> {
  if (!(await hasRoutine(work, settings.schema, 'mark_synced'))) return use();
  const transport = await readTransport(work, settings);
  // The version says that the cron stream is still there, whole or in part.
  await recordCronSide(work, settings, 'deploy', true);
  const result = await use().catch(async (error) => {
    // Where the connection is gone, the next run records it. This error matters more.
    await restore(cron, work, settings, transport).catch(() => {});
    throw error;
  });
  await work.query(`SELECT ${ownName(settings, 'mark_synced')}('{"jobs": []}')`);
  const isGone = cron !== undefined && !(await hasRelation(cron, settings.cronSchema, 'ledger'));
  if (isGone) await recordCronSide(work, settings, 'deploy', false);
  return result;
}

async function restore(
  cron: ClientBase | undefined,
  work: ClientBase,
  settings: Settings,
  transport: string,
): Promise<void> {
  if (cron && (await hasRoutine(cron, settings.cronSchema, 'apply_jobs'))) {
    await recordCronSide(work, settings, transport, true);
  }
}

async function readTransport(work: ClientBase, settings: Settings): Promise<string> {
  const { rows } = await work.query<{ transport: string }>(
    `SELECT transport FROM ${ownName(settings, 'deployment')}`,
  );
  return rows[0]?.transport ?? 'deploy';
}

async function recordCronSide(
  work: ClientBase,
  settings: Settings,
  transport: string,
  isThere: boolean,
): Promise<void> {
  await work.query(
    `SELECT ${ownName(settings, 'record_cron_side')}(
              $1, CASE WHEN $2 THEN pg_cron_version END, cron_database)
       FROM ${ownName(settings, 'deployment')}`,
    [transport, isThere],
  );
}
