import type { ClientBase } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import { canSchedule, canScheduleThere } from '../deployment/can-schedule.js';
import { areJobsPending } from '../deployment/jobs-pending.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { cronName, ownName } from '../deployment/own-names.js';
import { version } from '../deployment/package-version.js';
import { readStreamPlan, type StreamPlan } from '../deployment/stream-plan.js';
import { isMoved, type Whereabouts } from '../deployment/whereabouts.js';
import type { Databases } from '../deployment/with-databases.js';
import { migrateDown, migrateUp } from '../migrations/run-migrations.js';
import { objectScope } from '../objects/scope.js';
import { attributeToReleases, type CronReleases, cronReleases } from '../releases/cron-releases.js';
import { readReleases } from '../releases/read-releases.js';
import type { Settings } from '../settings/settings.js';
import type { AdoptStep } from './adopt-report.js';
import { recording } from './recording.js';

/** How the pg_cron database comes to where the releases of the work database had brought it. */
export interface CronStreamPlan {
  readonly plan: StreamPlan;
  /** The release of each migration that belongs there. */
  readonly releases: CronReleases;
  readonly missing: readonly string[];
  /** How many are applied beyond that, by what was under this name before. */
  readonly excess: number;
  /** Whether the jobs are to be scheduled then; else `up` does that, once it has brought back what they call. */
  readonly connects: boolean;
  readonly steps: readonly AdoptStep[];
}

export async function planCronStream(
  { work, cron }: Databases,
  settings: Settings,
  found: Whereabouts,
): Promise<CronStreamPlan> {
  const plan = await readStreamPlan(cron, settings, 'cron');
  const wasScheduled = isMoved(found) && (await hasCronSide(work, settings));
  const releases = wasScheduled
    ? await releasesOf(work, settings, plan)
    : new Map<string, number>();
  const applied = plan.applied.map(({ name }) => name);
  const missing = [...releases.keys()].filter((name) => !applied.includes(name));
  const excess = wasScheduled ? applied.filter((name) => !releases.has(name)).length : 0;
  const schedulable = await canSchedule(work, settings);
  const isInterrupted =
    schedulable &&
    found.kind === 'same' &&
    (await canScheduleThere(cron, settings)) &&
    (await areJobsPending(work, settings));
  const elsewhere = schedulable ? await jobsElsewhere(cron, settings) : 0;
  const { database } = settings.cron;
  return {
    plan,
    releases,
    missing,
    excess,
    connects: schedulable && (wasScheduled || isInterrupted || elsewhere > 0),
    steps: [
      ...(elsewhere === 0
        ? []
        : [
            {
              database,
              what: `make ${elsewhere} jobs again, which came with a copy of another server: pg_cron would run them by that server's port`,
            },
          ]),
      ...(excess === 0
        ? []
        : [
            {
              database,
              what: `roll back ${excess} migrations of schema "${settings.cronSchema}", which the work database does not have`,
            },
          ]),
      ...(missing.length === 0
        ? []
        : [
            {
              database,
              what: `apply ${missing.length} migrations of the cron stream in schema "${settings.cronSchema}"`,
            },
          ]),
    ],
  };
}

/** Whether the cron stream was connected when the record was written last. */
async function hasCronSide(work: ClientBase, settings: Settings): Promise<boolean> {
  const { rows } = await work.query<{ connected: boolean }>(
    `SELECT pg_cron_version IS NOT NULL AS connected FROM ${ownName(settings, 'deployment')}`,
  );
  return rows[0]?.connected === true;
}

/** How many of our jobs have another server's port, as in a copy of a whole server. */
async function jobsElsewhere(cron: ClientBase, settings: Settings): Promise<number> {
  if (!(await hasRoutine(cron, settings.cronSchema, 'own_jobs'))) return 0;
  const { rows } = await cron.query<{ count: string }>(
    `SELECT count(*) FROM ${cronName(settings, 'own_jobs')}() AS own WHERE NOT own.is_here`,
  );
  return Number(rows[0]?.count);
}

/** Those that the releases applied, in the stream's order. */
async function releasesOf(
  work: ClientBase,
  settings: Settings,
  { migrations }: StreamPlan,
): Promise<Map<string, number>> {
  const by = cronReleases(await readReleases(work, settings));
  return new Map(
    migrations.flatMap(({ name }) => {
      const release = by.get(name);
      return release === undefined ? [] : [[name, release] as const];
    }),
  );
}

/** Brings it there; what is there already is left. */
export async function adoptCronStream(
  { cron }: Databases,
  settings: Settings,
  { plan: { schema, migrations }, releases, missing, excess }: CronStreamPlan,
  log: (message: string) => void,
): Promise<void> {
  const common = { client: cron, schema, migrations, ...lockPolicy(log) };
  const last = Math.max(0, ...releases.values());
  const witness = (within: (migrate: () => Promise<readonly string[]>) => Promise<void>) =>
    recording(cron, objectScope(settings, 'cron'), last, within);
  if (excess > 0) {
    await migrateDown({
      ...common,
      count: excess,
      witness: witness(async (migrate) => void (await migrate())),
    });
  }
  if (missing.length > 0) {
    await migrateUp({
      ...common,
      to: missing.at(-1),
      release: last,
      packageVersion: version(),
      witness: witness(async (migrate) => {
        await migrate();
        await attributeToReleases(cron, schema, releases);
      }),
    });
  }
  if (releases.size > 0) await recordWorkDatabase(cron, settings);
}

async function recordWorkDatabase(cron: ClientBase, settings: Settings): Promise<void> {
  await cron.query(
    `UPDATE ${cronName(settings, 'deployment')} SET work_database_oid = pg_database.oid
       FROM pg_catalog.pg_database WHERE datname = work_database`,
  );
}
