import { hasExtension, hasRelation, hasRoutine } from '../deployment/catalogue.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { ownName } from '../deployment/own-names.js';
import { readStreamPlan, type StreamPlan } from '../deployment/stream-plan.js';
import {
  type Databases,
  type LockWait,
  withLockedDatabases,
} from '../deployment/with-databases.js';
import { PcacheError } from '../errors/pcache-error.js';
import { dropEmptyLedger } from '../migrations/ledger.js';
import type { Migration } from '../migrations/read-migrations.js';
import { migrateDown } from '../migrations/run-migrations.js';
import type { DownExtent } from '../migrations/select-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import type { Settings } from '../settings/settings.js';
import { dataAtStake, type TableAtStake } from './data-at-stake.js';
import { drainRuns } from './drain-runs.js';
import { planRollback, type RollbackStep } from './rollback-plan.js';
import type { MigrationProgress, StreamChange } from './up.js';

export interface RollbackPreview {
  readonly steps: readonly RollbackStep[];
  /** The tables that will be dropped, with the rows they hold. */
  readonly lost: readonly TableAtStake[];
}

export interface DownOptions extends LockWait {
  readonly streams: readonly StreamName[];
  readonly extent: DownExtent;
  /** Asked before anything is changed when tables that hold rows would be dropped; false ends the command. */
  readonly confirm: (preview: RollbackPreview) => Promise<boolean>;
  /** How many seconds to wait for runs of the processor to end. */
  readonly drainSeconds: number;
  readonly log: (message: string) => void;
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

export interface DownReport {
  readonly confirmed: boolean;
  readonly streams: readonly StreamChange[];
  readonly lost: readonly TableAtStake[];
  /** What was left in place, in words. */
  readonly kept: readonly string[];
}

/** pg_cron still calls the work stream, so it cannot be rolled back. */
export class CronStreamStillUpError extends PcacheError {
  override readonly name = 'CronStreamStillUpError';

  constructor(database: string) {
    super(
      `The cron stream is still deployed in database "${database}": its jobs would call what is gone.`,
      {
        remedy:
          'Roll it back first: pcache-migrate down --stream cron --all, or both at once: pcache-migrate down --all.',
      },
    );
  }
}

/** Rolls back: the cron stream first, then work. Users' tables are never touched. */
export async function down(settings: Settings, options: DownOptions): Promise<DownReport> {
  return withLockedDatabases(settings, options, async (databases) => {
    const plans = await readPlans(databases, settings);
    const steps = planRollback(
      plans.filter(({ stream }) => options.streams.includes(stream)),
      options.extent,
    );
    refuseOrphanedJobs(settings, plans, steps);
    const lost = await dataAtStake(databases.work, settings, migrationsOf(plans, steps, 'work'));
    if (lost.some(({ rows }) => rows > 0) && !(await options.confirm({ steps, lost }))) {
      return { confirmed: false, streams: [], lost: [], kept: [] };
    }
    if (
      namesOf(steps, 'work').length > 0 &&
      (await hasRoutine(databases.work, settings.schema, 'run_processor'))
    ) {
      await drainRuns(databases.work, settings, options.drainSeconds);
    }
    const extensionsBefore = await managesExtensions(databases, settings);
    const streams: StreamChange[] = [];
    for (const step of steps) {
      if (step.migrations.length === 0) continue;
      streams.push(await rollBack(databases, settings, plans, step, options));
    }
    await dropLedgers(databases, plans, steps, options.log);
    return {
      confirmed: true,
      streams,
      lost,
      kept: await keptBy(databases, settings, plans, steps, extensionsBefore),
    };
  });
}

async function readPlans(databases: Databases, settings: Settings): Promise<StreamPlan[]> {
  return [
    await readStreamPlan(databases.cron, settings, 'cron'),
    await readStreamPlan(databases.work, settings, 'work'),
  ];
}

function planOf(plans: readonly StreamPlan[], stream: StreamName): StreamPlan {
  const plan = plans.find((candidate) => candidate.stream === stream);
  if (plan === undefined) throw new Error(`no plan of stream ${stream}`);
  return plan;
}

function namesOf(steps: readonly RollbackStep[], stream: StreamName): readonly string[] {
  return steps.find((step) => step.stream === stream)?.migrations ?? [];
}

function migrationsOf(
  plans: readonly StreamPlan[],
  steps: readonly RollbackStep[],
  stream: StreamName,
): Migration[] {
  const names = namesOf(steps, stream);
  return planOf(plans, stream).migrations.filter(({ name }) => names.includes(name));
}

function remaining(
  plans: readonly StreamPlan[],
  steps: readonly RollbackStep[],
  stream: StreamName,
): number {
  return planOf(plans, stream).applied.length - namesOf(steps, stream).length;
}

function refuseOrphanedJobs(
  settings: Settings,
  plans: readonly StreamPlan[],
  steps: readonly RollbackStep[],
): void {
  const takesWork = namesOf(steps, 'work').length > 0;
  if (takesWork && remaining(plans, steps, 'work') === 0 && remaining(plans, steps, 'cron') > 0) {
    throw new CronStreamStillUpError(settings.cron.database);
  }
}

async function rollBack(
  databases: Databases,
  settings: Settings,
  plans: readonly StreamPlan[],
  { stream, migrations }: RollbackStep,
  { log, onProgress }: DownOptions,
): Promise<StreamChange> {
  const plan = planOf(plans, stream);
  const recordsJobs = await hasRoutine(databases.work, settings.schema, 'mark_synced');
  if (stream === 'cron' && recordsJobs) {
    // From here on a change of the configuration waits for up, because apply_jobs is about to be dropped.
    await databases.work.query(`SELECT ${ownName(settings, 'record_cron_side')}('deploy', NULL)`);
  }
  const rolledBack = await migrateDown({
    client: databases[stream],
    schema: plan.schema,
    migrations: plan.migrations,
    count: migrations.length,
    ...lockPolicy(log),
    onProgress: (step) => onProgress?.({ stream, ...step }),
  });
  if (stream === 'cron' && recordsJobs) {
    await databases.work.query(`SELECT ${ownName(settings, 'mark_synced')}('{"jobs": []}')`);
  }
  return { stream, database: plan.database, schema: plan.schema, migrations: rolledBack };
}

async function dropLedgers(
  databases: Databases,
  plans: readonly StreamPlan[],
  steps: readonly RollbackStep[],
  log: (message: string) => void,
): Promise<void> {
  for (const { stream } of steps) {
    if (remaining(plans, steps, stream) > 0) continue;
    await dropEmptyLedger(databases[stream], planOf(plans, stream).schema, lockPolicy(log));
  }
}

function managesExtensions({ work }: Databases, { schema }: Settings): Promise<boolean> {
  return hasRelation(work, schema, 'created_extension');
}

async function keptBy(
  databases: Databases,
  settings: Settings,
  plans: readonly StreamPlan[],
  steps: readonly RollbackStep[],
  extensionsBefore: boolean,
): Promise<string[]> {
  const kept: string[] = [];
  if (remaining(plans, steps, 'work') > 0 && steps.some(({ stream }) => stream === 'cron')) {
    kept.push(
      `queue, configuration, log and cache in database "${settings.work.database}", as far as their migrations are still applied`,
    );
  }
  if (remaining(plans, steps, 'cron') === 0) {
    kept.push(
      `the extension pg_cron and the grants on it in database "${settings.cron.database}": other jobs may need them`,
    );
  }
  // It was dropped if this deployment had created it and nothing else uses it: what is left has another user.
  if (
    extensionsBefore &&
    !(await managesExtensions(databases, settings)) &&
    (await hasExtension(databases.work, 'intarray'))
  ) {
    kept.push(
      `the extension intarray in database "${settings.work.database}": it was there before, or something else uses it`,
    );
  }
  return kept;
}
