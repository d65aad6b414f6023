import type { ClientBase } from 'pg';
import { hasRelation, hasRoutine } from '../database/catalogue.js';
import {
  CALLED_BY,
  CALLED_THERE,
  canSchedule,
  NEEDED_BY_JOBS,
} from '../deployment/can-schedule.js';
import { cronName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { CALLED } from '../deployment/stand-ins.js';
import type { Databases } from '../deployment/with-databases.js';
import type { DesiredJob } from '../jobs/apply-jobs.js';
import { readPgCronVersion } from '../jobs/pg-cron-version.js';
import { splitStatements } from '../migrations/split-statements.js';
import { sqlTokens } from '../migrations/sql-tokens.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { objectsIn } from './changed-objects.js';
import { definedObjects } from './defined-objects.js';
import { ifAnswered, type Known, known, unknown } from './known.js';
import type { PlannedJob } from './plan.js';
import { type Behind, whatIsBehind } from './routines-behind.js';

/** The SQL of each stream that runs before the jobs are looked at. */
export type PendingSql = Readonly<Record<StreamName, readonly string[]>>;

/**
 * What `up` does to pg_cron's jobs once both streams are up: asked of the functions that will decide it, as they are
 * now. Unknown where those are not there yet, will be replaced, or may not be called.
 */
export function plannedJobs(
  databases: Databases,
  settings: Settings,
  pending: PendingSql,
): Promise<Known<readonly PlannedJob[]>> {
  return ifAnswered(async () => {
    const desired = await desiredAfter(databases, settings, pending.work);
    if (!desired.isKnown) return desired;
    if (!(await hasRoutine(databases.cron, settings.cronSchema, 'apply_jobs'))) {
      return firstActions(databases.cron, settings, desired.value);
    }
    const created = CALLED_THERE.find((name) => leftBy(pending.cron, 'create').has(name));
    if (created !== undefined) {
      return unknown(
        `a pending migration of the cron stream creates ${created}, which a job calls`,
      );
    }
    return actionsOf(databases.cron, settings, desired.value, pending.cron);
  });
}

/** What `down` does to them: it removes them with what applies them, or brings them in line with what is left. */
export function jobsAfterRollback(
  databases: Databases,
  settings: Settings,
  scripts: PendingSql,
): Promise<Known<readonly PlannedJob[]>> {
  const { work, cron } = databases;
  return ifAnswered(async () => {
    if (!(await hasRoutine(cron, settings.cronSchema, 'apply_jobs'))) return known([]);
    const dropped = leftBy(scripts.work, 'drop');
    const droppedHere = leftBy(scripts.cron, 'drop');
    if (droppedHere.has('apply_jobs') || CALLED.some((name) => dropped.has(name))) {
      return actionsOf(cron, settings, [], []);
    }
    const isIncomplete =
      NEEDED_BY_JOBS.some((name) => dropped.has(name)) || !(await canSchedule(work, settings));
    if (isIncomplete) return known([]);
    const desired = await desiredAfter(databases, settings, scripts.work);
    if (!desired.isKnown) return desired;
    return actionsOf(cron, settings, runnable(desired.value, droppedHere), scripts.cron);
  });
}

/** Those that desired_job_rows leaves once this is dropped. */
function runnable(desired: readonly DesiredJob[], dropped: ReadonlySet<string>): DesiredJob[] {
  return desired
    .filter(({ kind }) => !dropped.has(CALLED_BY[kind] ?? ''))
    .map((job) => (dropped.has('dispatch') ? { ...job, on_demand: false } : job));
}

/** The names of what these do this to last: what is there, or not there any more, after them. */
function leftBy(scripts: readonly string[], done: 'create' | 'drop'): ReadonlySet<string> {
  const last = new Map(objectsIn(scripts).map(({ name, action }) => [name, action]));
  return new Set([...last].flatMap(([name, action]) => (action === done ? [name] : [])));
}

async function desiredAfter(
  { work, cron }: Databases,
  settings: Settings,
  pending: readonly string[],
): Promise<Known<readonly DesiredJob[]>> {
  const { processorConfig } = deploymentTables(settings);
  if (!(await hasRoutine(work, settings.schema, 'desired_jobs'))) {
    // A table that is created along with the function has no processor.
    return (await hasRelation(work, settings.clientSchema, processorConfig))
      ? unknown('the function desired_jobs is not there yet, and the processors are')
      : known([]);
  }
  const behind = await whatIsBehind(work, 'desired_jobs', settings.schema, [
    settings.schema,
    settings.clientSchema,
  ]);
  const changed = changeOf(behind, pending);
  if (changed !== undefined) return unknown(`a pending migration of the work stream ${changed}`);
  const { rows } = await work.query<{ desired: DesiredJob[] }>(
    `SELECT ${ownName(settings, 'desired_jobs')}($1) AS desired`,
    [(await readPgCronVersion(cron)) ?? null],
  );
  return known(rows[0]?.desired ?? []);
}

/** Undefined if the SQL touches nothing of it. */
function changeOf({ routines, tables }: Behind, scripts: readonly string[]): string | undefined {
  for (const { text } of scripts.flatMap(splitStatements)) {
    const defined = definedObjects(text).filter(({ kind }) => kind === 'routine');
    const routine = defined.find(({ name }) => routines.has(name));
    if (routine !== undefined) return `changes ${routine.name}, which decides on the jobs`;
    // What a routine names in its body it does not touch by being created.
    const table = defined.length > 0 ? undefined : namesIn(text).find((name) => tables.has(name));
    if (table !== undefined) return `touches ${table}, which decides on the jobs`;
  }
  return undefined;
}

function namesIn(statement: string): string[] {
  return [...sqlTokens(statement)].flatMap(({ kind, text }) => {
    if (kind === 'comment' || kind === 'space' || kind === 'other') return [];
    return text.match(/[\p{L}_][\p{L}\p{N}_$]*/gu) ?? [];
  });
}

async function actionsOf(
  cron: ClientBase,
  settings: Settings,
  desired: readonly DesiredJob[],
  pending: readonly string[],
): Promise<Known<readonly PlannedJob[]>> {
  const behind = await whatIsBehind(cron, 'apply_jobs', settings.cronSchema, []);
  const changed = changeOf(behind, pending);
  if (changed !== undefined) return unknown(`a pending migration of the cron stream ${changed}`);
  const stranger = await otherThanCronRole(cron, settings);
  if (stranger !== undefined) return stranger;
  // As apply_jobs does it: first it removes, then it schedules what is missing.
  const { rows } = await cron.query<PlannedJob>(
    `WITH desired AS (SELECT * FROM ${cronName(settings, 'desired_job_rows')}($1::jsonb)),
          own AS (SELECT * FROM ${cronName(settings, 'own_jobs')}()),
          kept AS (
            SELECT own.* FROM own JOIN desired USING (job_name)
             WHERE desired.database = own.database AND own.active AND own.is_here)
     SELECT CASE WHEN has_own_name THEN 'unscheduled' ELSE 'left' END AS action, job_name AS "jobName",
            schedule, command, database
       FROM ${cronName(settings, 'alien_jobs')}($1::jsonb)
     UNION ALL
     SELECT 'unscheduled', job_name, NULL, command, database
       FROM own WHERE jobid NOT IN (SELECT jobid FROM kept)
     UNION ALL
     SELECT CASE WHEN kept.jobid IS NULL THEN 'scheduled' ELSE 'altered' END, desired.job_name,
            desired.schedule, desired.command, desired.database
       FROM desired LEFT JOIN kept ON kept.job_name = desired.job_name
      WHERE kept.command IS DISTINCT FROM desired.command
         OR kept.schedule NOT IN (desired.schedule, coalesce(desired.rest_schedule, desired.schedule))`,
    [JSON.stringify(desired)],
  );
  return known(inOrder(rows));
}

const ORDER = ['left', 'unscheduled', 'altered', 'scheduled'];

function inOrder(jobs: readonly PlannedJob[]): PlannedJob[] {
  return [...jobs].sort(
    (a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action) || (a.jobName < b.jobName ? -1 : 1),
  );
}

/** Of a cron stream that is not deployed yet: everything is scheduled, unless jobs are there already. */
async function firstActions(
  cron: ClientBase,
  settings: Settings,
  desired: readonly DesiredJob[],
): Promise<Known<readonly PlannedJob[]>> {
  if (await hasRelation(cron, 'cron', 'job')) {
    const stranger = await otherThanCronRole(cron, settings);
    if (stranger !== undefined) return stranger;
    const { rows } = await cron.query<{ name: string }>(
      `SELECT coalesce(jobname::text, format('(job %s)', jobid)) AS name
         FROM cron.job
        WHERE username = $1
          AND (database = $2 OR starts_with(jobname::text, 'partitioncache_')
               OR EXISTS (SELECT FROM unnest($3::text[]) AS called WHERE strpos(command, called || '(') > 0))
        ORDER BY 1`,
      [settings.cron.user, settings.work.database, CALLED_THERE],
    );
    if (rows.length > 0) {
      return unknown(
        `role "${settings.cron.user}" has jobs already (${rows.map(({ name }) => name).join(', ')}), and what decides on them is not deployed yet`,
      );
    }
  }
  return known(
    inOrder(
      desired.map(({ job_name, schedule, command, kind, database }) => ({
        action: 'scheduled',
        jobName: job_name,
        schedule,
        command,
        database: kind in CALLED_BY ? settings.cron.database : database,
      })),
    ),
  );
}

/** pg_cron shows each role its own jobs alone. */
async function otherThanCronRole(
  cron: ClientBase,
  { cron: { user } }: Settings,
): Promise<Known<never> | undefined> {
  const { rows } = await cron.query<{ role: string; hidden: boolean }>(
    `SELECT current_user::text AS role,
            current_user <> $1 AS hidden`,
    [user],
  );
  return rows[0]?.hidden
    ? unknown(
        `pg_cron shows the jobs of role "${user}" to that role alone, not to "${rows[0].role}"`,
      )
    : undefined;
}
