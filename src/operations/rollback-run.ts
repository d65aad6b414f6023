import { lockPolicy } from '../deployment/lock-policy.js';
import { CALLED, dropStandIns, leavingStandIns } from '../deployment/stand-ins.js';
import type { StreamState } from '../deployment/stream-plan.js';
import type { ReachedDatabases } from '../deployment/with-databases.js';
import type { AppliedAction } from '../jobs/apply-jobs.js';
import { withPgCronLoaded } from '../jobs/require-pg-cron.js';
import { dropEmptyLedger } from '../migrations/ledger.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import type { MigrationScript } from '../migrations/read-migrations.js';
import { readRecordedDowns } from '../migrations/recorded-migrations.js';
import { migrateDown, type Witness } from '../migrations/run-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import { objectScope } from '../objects/scope.js';
import { objectsIn } from '../plan/changed-objects.js';
import type { Release } from '../releases/release.js';
import type { Settings } from '../settings/settings.js';
import { dataAtStake, ownDataAtStake, type TableAtStake } from './data-at-stake.js';
import { keepData, requireRoomForKept } from './keep-data.js';
import { leftInPlace, managesExtensions } from './left-in-place.js';
import { recording } from './recording.js';
import { notingUnscheduled, reconnect, takeJobsAway, withoutCronSide } from './rollback-jobs.js';
import type { RollbackStep } from './rollback-plan.js';
import {
  namesOf,
  planOf,
  readStates,
  releasesOf,
  remaining,
  tablesDropped,
} from './rollback-states.js';
import type { MigrationProgress, StreamChange } from './up-report.js';

/** A rollback that is decided on. */
export interface Rollback {
  readonly databases: ReachedDatabases;
  readonly settings: Settings;
  /** As it found them. */
  readonly states: readonly StreamState[];
  readonly steps: readonly RollbackStep[];
  readonly releases: readonly Release[];
  readonly options: RollbackOptions;
}

export interface RollbackOptions {
  /** Drops tables with the rows they hold, which otherwise are kept for the next `up`. */
  readonly dropData?: boolean | undefined;
  readonly log: (message: string) => void;
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

/** What a rollback has done. */
export interface RollbackChanges {
  /** How many migrations are still applied, in the streams that can be reached. */
  readonly left: number;
  readonly streams: readonly StreamChange[];
  /** The tables whose rows were put aside, into `keptSchema`; the next `up` takes them back. */
  readonly keptTables: readonly TableAtStake[];
  /** What was left in place, in words. */
  readonly kept: readonly string[];
  /** What was done to pg_cron's jobs where both streams are still in use. */
  readonly jobs: readonly AppliedAction[];
  /** What was put in the place of procedures that pg_cron's jobs call, since pg_cron could not be told. */
  readonly standIns: readonly string[];
}

/** Raises NoRoomForKeptError if the rows that the rollback has to keep have no place to go. */
export async function requireRoom({
  databases: { work },
  settings,
  states,
  steps,
}: Rollback): Promise<void> {
  const names = namesOf(steps, 'work');
  if (names.length === 0) return;
  const sqlOf = await recordedSql(work, planOf(states, 'work'));
  const { clients, own } = tablesDropped(states, settings, names, sqlOf);
  const atStake = [
    ...(await dataAtStake(work, settings, clients)),
    ...(await ownDataAtStake(work, settings, own)),
  ];
  const holding = atStake.filter(({ rows }) => rows > 0);
  if (holding.length === 0) return;
  await requireRoomForKept(
    work,
    settings,
    holding.map(({ table }) => table),
  );
}

/** The cron stream first, so that no job calls what is gone. */
export async function rollBackAll(rollback: Rollback): Promise<RollbackChanges> {
  const { databases, settings, states, steps } = rollback;
  const { work } = databases;
  const extensionsBefore = await managesExtensions(work, settings);
  const streams: StreamChange[] = [];
  const jobs: AppliedAction[] = [];
  const aside = { kept: [] as TableAtStake[], standIns: [] as string[] };
  for (const { stream, migrations } of steps) {
    if (migrations.length === 0) {
      // Who rolled it back may have been lost before the work database knew.
      if (stream === 'cron' && remaining(states, steps, 'cron') === 0) {
        await withoutCronSide(databases, settings, async () => {});
      }
      continue;
    }
    if (stream === 'cron') {
      const { result, unscheduled } = await withoutCronSide(databases, settings, () =>
        withPgCronLoaded(settings, () => rollBackCron(rollback)),
      );
      streams.push(result);
      jobs.push(...unscheduled);
      continue;
    }
    const takenAway = await beforeWork(rollback);
    jobs.push(...takenAway);
    const asideOf = await asideDuring(rollback);
    streams.push(
      await rollBack(rollback, 'work', asideOf.within).catch(async (error) => {
        // Nothing was rolled back: what is configured is to run.
        if (takenAway.length > 0) await reconnect(databases, settings);
        throw error;
      }),
    );
    Object.assign(aside, asideOf.found());
  }
  const statesAfter = await readStates(databases, settings);
  await dropLedgers(rollback);
  return {
    left: statesAfter.reduce((sum, { applied }) => sum + applied.length, 0),
    streams,
    keptTables: aside.kept,
    kept: await leftInPlace(databases, settings, states, steps, extensionsBefore),
    standIns: aside.standIns,
    jobs,
  };
}

/** The releases of which something is still applied afterwards, or may be. */
export function stayingReleases(rollback: Rollback): number[] {
  const { states, steps } = rollback;
  const staying = states.map(({ stream, applied }) => ({
    applied: applied.filter(({ name }) => !namesOf(steps, stream).includes(name)),
  }));
  return [...new Set([...releasesOf(staying), ...unseenReleases(rollback)])];
}

/** Those of which something may be applied in a pg_cron database that cannot be reached. */
function unseenReleases({ databases, releases }: Rollback): number[] {
  if (databases.cron) return [];
  return releases
    .filter(({ outcome, cronMigrations }) => outcome !== 'done' || cronMigrations.length > 0)
    .map(({ number }) => number);
}

async function rollBackCron(rollback: Rollback) {
  const { databases, settings, states, steps } = rollback;
  const roll = () => rollBack(rollback, 'cron', bare);
  return databases.cron === undefined || remaining(states, steps, 'cron') === 0
    ? { result: await roll(), unscheduled: [] }
    : notingUnscheduled(databases.cron, settings, roll);
}

const bare: Witness['within'] = async (migrate) => void (await migrate());

/** The cron stream may stay: then its jobs have to go before what they call. */
async function beforeWork({
  databases: { work, cron },
  settings,
  states,
  steps,
}: Rollback): Promise<readonly AppliedAction[]> {
  if (cron === undefined || remaining(states, steps, 'cron') === 0) return [];
  const sqlOf = await recordedSql(work, planOf(states, 'work'));
  const isDropped = objectsIn(namesOf(steps, 'work').map(sqlOf)).some(
    ({ action, name }) => action === 'drop' && CALLED.some((called) => called === name),
  );
  return isDropped ? takeJobsAway({ work, cron }, settings) : [];
}

/** Keeps data, and leaves stand-ins where pg_cron cannot be told, in each transaction of the work stream. */
async function asideDuring({ databases, settings, states, options }: Rollback) {
  const { work, cron } = databases;
  const sqlOf = await recordedSql(work, planOf(states, 'work'));
  // By transaction, since one that gets no lock is tried again.
  const kept = new Map<string, readonly TableAtStake[]>();
  const standIns = new Map<string, readonly string[]>();
  const within: Witness['within'] = async (migrate, names) => {
    const part = names.join();
    const dropped = tablesDropped(states, settings, names, sqlOf);
    const undone = releasesOf([
      { applied: planOf(states, 'work').applied.filter(({ name }) => names.includes(name)) },
    ]);
    if (!options.dropData) kept.set(part, await keepData(work, settings, dropped, undone));
    if (cron === undefined) standIns.set(part, await leavingStandIns(work, settings, migrate));
    else await migrate();
  };
  return {
    within,
    found: () => ({ kept: [...kept.values()].flat(), standIns: [...standIns.values()].flat() }),
  };
}

async function recordedSql(
  work: ReachedDatabases['work'],
  { schema, applied }: StreamState,
): Promise<(name: string) => string> {
  const downs: ReadonlyMap<string, MigrationScript> =
    applied.length === 0 ? new Map() : await readRecordedDowns(work, schema);
  return (name) => downs.get(name)?.sql ?? '';
}

async function rollBack(
  { databases, settings, states, steps, options }: Rollback,
  stream: StreamName,
  within: Witness['within'],
): Promise<StreamChange> {
  const { log, onProgress } = options;
  const client = databases[stream];
  if (client === undefined) throw new Error(`the ${stream} stream cannot be reached`);
  const plan = planOf(states, stream);
  const migrations = namesOf(steps, stream);
  const taken = plan.applied.filter(({ name }) => migrations.includes(name));
  const staying = plan.applied.filter(({ name }) => !migrations.includes(name));
  const rolledBack = await migrateDown({
    client,
    schema: plan.schema,
    migrations: plan.migrations,
    count: migrations.length,
    ...lockPolicy(log),
    witness: recording(
      client,
      objectScope(settings, stream),
      staying.at(-1)?.record?.release ?? 0,
      within,
      taken.flatMap(({ record }) => record?.drops ?? []),
    ),
    onProgress: (step) => onProgress?.({ stream, ...step }),
  });
  return { stream, database: plan.database, schema: plan.schema, migrations: rolledBack };
}

async function dropLedgers({
  databases,
  settings,
  states,
  steps,
  options: { log },
}: Rollback): Promise<void> {
  const { work, cron } = databases;
  const policy = lockPolicy(log);
  const isGone = (stream: StreamName) => remaining(states, steps, stream) === 0;
  // Then no job is left that could call one.
  const standIns =
    cron && isGone('cron') && isGone('work')
      ? await lockingTransaction(work, policy, () => dropStandIns(work, settings))
      : [];
  const streams = new Set<StreamName>(steps.map(({ stream }) => stream));
  if (standIns.length > 0) streams.add('work');
  for (const stream of streams) {
    const client = databases[stream];
    if (client && isGone(stream)) {
      await dropEmptyLedger(client, planOf(states, stream).schema, policy);
    }
  }
}
