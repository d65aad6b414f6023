import type { ClientBase } from 'pg';
import { hasExtension } from '../database/catalogue.js';
import { cronName, ownName } from '../deployment/own-names.js';
import type { Databases } from '../deployment/with-databases.js';
import type { Settings } from '../settings/settings.js';
import { requirePgCron, withPgCronLoaded } from './require-pg-cron.js';

/** `left`: another job of the cron role in the work database, which is nobody's to remove but its maker's. */
export type JobAction = 'scheduled' | 'altered' | 'unscheduled' | 'left';

export interface AppliedAction {
  readonly action: JobAction;
  readonly jobName: string;
}

export interface DesiredJob {
  readonly job_name: string;
  readonly schedule: string;
  readonly command: string;
  readonly kind: 'processor' | 'maintenance' | 'history' | 'dispatch';
  /** Of a processor's job. */
  readonly processor: string | null;
  readonly slot: number | null;
  /** Of the history's job. */
  readonly keep_days: number | null;
  /** Whether its schedule is that for times with work; at others it rests. */
  readonly on_demand: boolean;
  /** The work database. */
  readonly database: string;
}

interface ApplyAnswer {
  readonly actions: readonly { readonly action: JobAction; readonly job_name: string }[];
}

/** The jobs that the configuration in the work database asks for. */
export async function desiredJobs(work: ClientBase, settings: Settings): Promise<DesiredJob[]> {
  const { rows } = await work.query<{ desired: DesiredJob[] }>(
    `SELECT ${ownName(settings, 'desired_jobs')}() AS desired`,
  );
  return rows[0]?.desired ?? [];
}

export interface AppliedJobs {
  readonly actions: readonly AppliedAction[];
  readonly desired: readonly DesiredJob[];
}

/** Makes pg_cron's jobs match the configuration, and records that in the work database. */
export async function applyJobs(databases: Databases, settings: Settings): Promise<AppliedJobs> {
  await requirePgCron(databases.cron, settings);
  const desired = await desiredJobs(databases.work, settings);
  const answer = await apply(databases.cron, settings, desired);
  await databases.work.query(`SELECT ${ownName(settings, 'mark_synced')}($1::jsonb)`, [
    JSON.stringify(answer),
  ]);
  return { actions: actionsOf(answer), desired };
}

/** Takes all jobs of this deployment away; what the work database knows of them is the caller's to change. */
export async function removeJobs(cron: ClientBase, settings: Settings): Promise<AppliedAction[]> {
  // With the extension they are gone already.
  if (!(await hasExtension(cron, 'pg_cron'))) return [];
  return actionsOf(await apply(cron, settings, []));
}

async function apply(
  cron: ClientBase,
  settings: Settings,
  desired: readonly DesiredJob[],
): Promise<ApplyAnswer | undefined> {
  const { rows } = await withPgCronLoaded(settings, () =>
    cron.query<{ answer: ApplyAnswer }>(
      `SELECT ${cronName(settings, 'apply_jobs')}($1::jsonb) AS answer`,
      [JSON.stringify(desired)],
    ),
  );
  return rows[0]?.answer;
}

function actionsOf(answer: ApplyAnswer | undefined): AppliedAction[] {
  return (answer?.actions ?? []).map(({ action, job_name }) => ({ action, jobName: job_name }));
}
