import type { ClientBase } from 'pg';
import { backendPid } from '../database/backend-pid.js';
import { hasRelation } from '../database/catalogue.js';
import type { NotOurs } from '../deployment/cache-tables.js';
import { requireCronPlace } from '../deployment/cron-place.js';
import { readKept } from '../deployment/kept-tables.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { version } from '../deployment/package-version.js';
import type { StreamState } from '../deployment/stream-plan.js';
import {
  type LockWait,
  type ReachedDatabases,
  withLockedReachedDatabases,
  withReachedDatabases,
} from '../deployment/with-databases.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import { span } from '../migrations/span.js';
import type { StreamName } from '../migrations/streams.js';
import { readReleases } from '../releases/read-releases.js';
import { recordUndone } from '../releases/record-release.js';
import { keptSchemaName } from '../settings/kept-schema.js';
import type { Settings } from '../settings/settings.js';
import { attempt, type Begin } from './attempt.js';
import { cacheTablesAmong, dataAtStake, type TableAtStake } from './data-at-stake.js';
import { downFindings, type RollbackAim } from './down-findings.js';
import type { Drain } from './drain-runs.js';
import { drained } from './drained.js';
import { dropKept } from './drop-kept.js';
import { requireNothingInTheWay } from './in-the-way.js';
import { givesUpKept, isHalfUndone, type RollbackExtent } from './rollback-extent.js';
import { reconnect } from './rollback-jobs.js';
import type { RollbackStep } from './rollback-plan.js';
import {
  type Rollback,
  type RollbackChanges,
  type RollbackOptions,
  requireRoom,
  rollBackAll,
  stayingReleases,
} from './rollback-run.js';
import { namesOf, planOf, readStates, releasesOf } from './rollback-states.js';
import { rollbackSteps } from './rollback-steps.js';
import type { Undertaking } from './what-stands.js';

export interface RollbackPreview {
  readonly steps: readonly RollbackStep[];
  /** The tables that will be dropped, with the rows they hold; none, unless that was asked for. */
  readonly lost: readonly TableAtStake[];
  /** How what is applied differs from what this package has; what runs is what is recorded. */
  readonly differences: readonly string[];
}

export interface DownOptions extends LockWait, Drain, RollbackOptions {
  readonly streams: readonly StreamName[];
  readonly extent: RollbackExtent;
  /** In a change of mode, which others are kept out of: what is rolled back comes back, in another place. */
  readonly ofMode?: boolean | undefined;
  /**
   * Asked before anything is changed when rows would be lost, or something is applied that this package does not have;
   * false ends the command.
   */
  readonly confirm: (preview: RollbackPreview) => Promise<boolean>;
}

export interface DownReport extends RollbackChanges {
  readonly confirmed: boolean;
  /** The releases of which nothing is applied any more. */
  readonly undone: readonly number[];
  /** The tables that were dropped with their rows, if that was asked for; with their schema, if they were kept till now. */
  readonly lost: readonly TableAtStake[];
  readonly keptSchema: string;
  /** What has the name of a cache table and was left where it is. */
  readonly notOurs: readonly NotOurs[];
  /** Why the pg_cron database could not be reached; then its jobs are as before. */
  readonly cronUnreachable?: string;
}

/** What was meant by "the last" is no longer that. */
export class AppliedChangedError extends PcacheError {
  override readonly name = 'AppliedChangedError';

  constructor(before: readonly string[], now: readonly string[]) {
    super(
      `Another run of pcache-migrate has changed what is applied, while this one waited for the lock: the last were ${before.join(' and ') || 'none'}, now ${now.join(' and ') || 'none'}. Nothing was changed by this one.`,
      { remedy: 'Ask pcache-migrate history what is left to undo.' },
    );
  }
}

/**
 * Rolls back what is recorded: the cron stream first, then work. Users' tables are never touched, nor is the
 * configuration of the processors: nothing is processed meanwhile, and what is enabled goes on afterwards.
 */
export async function down(settings: Settings, options: DownOptions): Promise<DownReport> {
  return attempt(
    () => false,
    async (begin) => {
      const seen = await withReachedDatabases(settings, async (databases) => {
        if (!options.ofMode) await requireCronPlace(databases.work, settings);
        return lastApplied(await readStates(databases, settings));
      });
      return withLockedReachedDatabases(settings, options, (databases) =>
        downLocked(settings, options, seen, databases, begin),
      );
    },
  );
}

async function downLocked(
  settings: Settings,
  options: DownOptions,
  seen: readonly string[],
  databases: ReachedDatabases,
  begin: Begin,
): Promise<DownReport> {
  // Again: a change of mode may have had the lock meanwhile.
  if (!options.ofMode) await requireCronPlace(databases.work, settings);
  const states = await readStates(databases, settings);
  states.forEach(requireRecords);
  requireAsSeen(options.extent, seen, lastApplied(states));
  const releases = await readReleases(databases.work, settings);
  const steps = rollbackSteps(options, states, releases, databases.cronFailure);
  const rollback = { databases, settings, states, steps, releases, options };
  await requireNothingInTheWay({
    databases,
    settings,
    states,
    steps,
    dropData: options.dropData === true,
  });
  const dropped = tablesDropped(states, steps);
  const { others } = await cacheTablesAmong(databases.work, settings, dropped);
  const givenUp = await keptGivenUp(databases.work, settings, options, states);
  const lost = options.dropData
    ? [...(await dataAtStake(databases.work, settings, dropped)), ...givenUp]
    : [];
  if (!options.dropData) await requireRoom(rollback);
  const differences = steps.some(({ migrations }) => migrations.length > 0)
    ? states.flatMap(differencesOf)
    : [];
  const mustAsk = differences.length > 0 || lost.some(({ rows }) => rows > 0);
  if (mustAsk && !(await options.confirm({ steps, lost, differences }))) {
    return refused(settings, states);
  }
  const staying = stayingReleases(rollback);
  const undoing = releasesOf(states).filter((number) => !staying.includes(number));
  await announce(
    rollback,
    { extent: options.extent, undoing, staying: Math.max(0, ...staying) },
    begin,
  );
  const changes = await undisturbed(rollback, () => rollBackAll(rollback));
  if (givenUp.length > 0) {
    await lockingTransaction(databases.work, lockPolicy(options.log), () =>
      dropKept(databases.work, settings),
    );
  }
  const mustConnect = changes.streams.length > 0 || isHalfUndone(states, releases);
  const jobs = mustConnect ? await reconnect(databases, settings) : [];
  // Last of all, so that the same command, run again after this one was lost, finds that it was.
  const recorded = options.ofMode ? [] : await recordUndone(databases.work, settings, staying);
  return {
    confirmed: true,
    lost,
    keptSchema: keptSchemaName(settings.schema),
    notOurs: others,
    ...changes,
    undone: [...new Set([...recorded, ...undoing])].sort((a, b) => a - b),
    jobs: [...changes.jobs, ...jobs],
    ...(databases.cronFailure && { cronUnreachable: databases.cronFailure.message }),
  };
}

async function keptGivenUp(
  work: ClientBase,
  settings: Settings,
  options: DownOptions,
  states: readonly StreamState[],
): Promise<TableAtStake[]> {
  if (!givesUpKept(options, states)) return [];
  const kept = await readKept(work, settings);
  return kept.map(({ table, rows }) => ({
    table: `${keptSchemaName(settings.schema)}.${table}`,
    rows,
  }));
}

/** Says how to find out what became of the rollback, should it stop on the way. */
async function announce(
  { databases, settings, steps }: Rollback,
  aim: RollbackAim,
  begin: Begin,
): Promise<void> {
  const undertaken = await Promise.all(
    steps.map(async ({ stream, migrations }): Promise<Undertaking> => {
      const client = databases[stream];
      const pid = client && (await backendPid(client));
      return { stream, direction: 'down', migrations, pid };
    }),
  );
  begin(() => downFindings(settings, aim, undertaken));
}

function refused(settings: Settings, states: readonly StreamState[]): DownReport {
  return {
    confirmed: false,
    left: states.reduce((sum, { applied }) => sum + applied.length, 0),
    undone: [],
    streams: [],
    lost: [],
    keptTables: [],
    keptSchema: keptSchemaName(settings.schema),
    notOurs: [],
    kept: [],
    jobs: [],
    standIns: [],
  };
}

function lastApplied(states: readonly StreamState[]): string[] {
  return states.flatMap(({ stream, applied }) => {
    const last = applied.at(-1);
    return last === undefined ? [] : [`${shown(last.name)} of the ${stream} stream`];
  });
}

/** Two that undo "the last" at once must not undo two. */
function requireAsSeen(
  extent: RollbackExtent,
  seen: readonly string[],
  now: readonly string[],
): void {
  const isRelative = 'lastRelease' in extent || 'count' in extent;
  if (isRelative && seen.join() !== now.join()) throw new AppliedChangedError(seen, now);
}

/** No run is at work meanwhile: pg_cron may end one whose job is unscheduled. */
async function undisturbed<T>(
  { databases, settings, states, steps, options }: Rollback & { readonly options: DownOptions },
  use: () => Promise<T>,
): Promise<T> {
  const touched = states.some(({ stream, applied }) =>
    applied.some(
      ({ name, record }) =>
        record?.inTransaction !== false && namesOf(steps, stream).includes(name),
    ),
  );
  const mustDrain = touched && (await hasRelation(databases.work, settings.schema, 'runs_1'));
  return mustDrain ? drained(databases.work, settings, 'down', options, use) : use();
}

/** What has no record cannot be rolled back. */
function requireRecords({ applied, fault }: StreamState): void {
  if (fault && applied.some(({ record, isListed }) => !record || !isListed)) throw fault;
}

function differencesOf({ stream, newer, fault }: StreamState): string[] {
  if (fault) return fault.problems.map((problem) => `${stream} stream: ${problem}`);
  if (newer.length === 0) return [];
  const by = newer.at(-1)?.record?.packageVersion ?? '';
  return [
    `${stream} stream: ${span(newer.map(({ name }) => name))} ${newer.length === 1 ? 'was' : 'were'} applied by pcache-migrate ${shown(by)}; this is ${version()}, which does not have ${newer.length === 1 ? 'it' : 'them'}.`,
  ];
}

function tablesDropped(
  states: readonly StreamState[],
  steps: readonly RollbackStep[],
): readonly string[] {
  const names = namesOf(steps, 'work');
  return planOf(states, 'work')
    .applied.filter(({ name }) => names.includes(name))
    .flatMap(({ record }) => record?.drops ?? []);
}
