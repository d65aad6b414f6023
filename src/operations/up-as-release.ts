import type { ClientBase } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { applyFragmentRole, wantsFragmentRole } from '../deployment/fragment-role.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { replacingStandIns } from '../deployment/stand-ins.js';
import type { StreamPlan } from '../deployment/stream-plan.js';
import { reportRoom } from '../jobs/read-room.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import type { Migration } from '../migrations/read-migrations.js';
import { migrateUp, type Witness } from '../migrations/run-migrations.js';
import { objectScope } from '../objects/scope.js';
import { readHolds } from '../processor/holds.js';
import { attributeToReleases } from '../releases/cron-releases.js';
import { recordCompleted } from '../releases/record-release.js';
import type { ReleaseRun } from '../releases/release-run.js';
import type { Settings } from '../settings/settings.js';
import { connectCronSide } from './connect-cron-side.js';
import { CronStreamError } from './cron-stream-error.js';
import { drained } from './drained.js';
import { recording } from './recording.js';
import { type TakenBack, takingBack } from './take-back.js';
import type { StreamChange, UpOptions, UpReport } from './up-report.js';

/** One run of `up` that holds the locks. */
export interface UpRun {
  readonly settings: Settings;
  readonly options: UpOptions;
  readonly release: ReleaseRun;
  readonly work: StreamRun;
  /** Undefined where the cron stream is left alone. */
  readonly cron: StreamRun | undefined;
}

export interface StreamRun {
  readonly client: ClientBase;
  readonly plan: StreamPlan;
  readonly selected: readonly Migration[];
}

/** What a run has done, also when it fails then. */
interface Done {
  /** Whether there is a release to end. */
  begun: boolean;
  fragmentRole: string | null;
  readonly streams: StreamChange[];
  /** By transaction, since one that gets no lock is tried again. */
  readonly kept: Map<string, TakenBack>;
}

/** Runs what was selected, and records it as a release; also that it failed. */
export async function asRelease(
  run: UpRun,
): Promise<Omit<UpReport, 'administrator' | 'planHash' | 'changed'>> {
  const { settings, release, work, cron } = run;
  const done: Done = { begun: false, fragmentRole: null, streams: [], kept: new Map() };
  const cronMigrations = () =>
    newOf(
      run,
      done.streams.find(({ stream }) => stream === 'cron'),
    );
  try {
    await undisturbed(run, () => migrateBoth(run, done));
    const connected = await aroundCron(done, settings, () => connect(run));
    return {
      release: await endRelease(run, done, cronMigrations()),
      streams: done.streams,
      newerPackage: newerPackage([work, ...(cron ? [cron] : [])]),
      fragmentRole: done.fragmentRole,
      takenBack: [...done.kept.values()].flatMap(({ taken }) => taken),
      stillKept: [...done.kept.values()].at(-1)?.left ?? [],
      ...connected,
      holds: await readHolds(work.client, settings),
    };
  } catch (error) {
    if (done.begun || work.selected.length > 0) {
      // Where the connection is gone as well, the next run records that. This error matters more.
      await release.recordFailure(error, cronMigrations()).catch(() => {});
    }
    throw error;
  }
}

/** What earlier releases had applied in another place is not this one's. */
function newOf({ options }: UpRun, change: StreamChange | undefined): readonly string[] {
  return (change?.migrations ?? []).filter((name) => !options.ofMode?.cronReleases.has(name));
}

/** Returns the number of the release that is done with this run: its own, or the one that an earlier run left. */
async function endRelease(
  { settings, release, work, cron }: UpRun,
  { begun }: Done,
  cronMigrations: readonly string[],
): Promise<number | null> {
  if (begun) {
    await release.recordDone(cronMigrations);
    return release.number;
  }
  const isAll = cron !== undefined && isComplete(work) && isComplete(cron);
  return isAll ? ((await recordCompleted(work.client, settings)) ?? null) : null;
}

/** No run is at work meanwhile, where a migration may touch what it uses. */
async function undisturbed(run: UpRun, use: () => Promise<void>): Promise<void> {
  const { settings, options, work } = run;
  const mustDrain =
    work.selected.some(({ up }) => up.inTransaction) &&
    (await hasRelation(work.client, settings.schema, 'runs_1'));
  return mustDrain ? drained(work.client, settings, 'up', options, use) : use();
}

async function migrateBoth(run: UpRun, done: Done): Promise<void> {
  if (run.options.streams.includes('work')) await migrateWork(run, done);
  await aroundCron(done, run.settings, () => migrateCron(run, done));
}

function newerPackage(streams: readonly StreamRun[]): string | null {
  const newer = streams.flatMap(({ plan }) => plan.newer);
  return newer.at(-1)?.record?.packageVersion ?? null;
}

async function migrateWork(run: UpRun, done: Done): Promise<void> {
  const { settings, options, work, release } = run;
  const { takeOver = (_, migrate) => migrate() } = options;
  const witness = recorded(run, work, async (migrate, part) => {
    const { names, ...kept } = await takingBack(work.client, settings, () =>
      replacingStandIns(work.client, settings, () => takeOver(work.client, migrate)),
    );
    done.kept.set(part.join(), kept);
    const role = await applyFragmentRole(work.client, settings);
    if (names.length > 0 || role !== null) await release.recordWork(names);
    done.fragmentRole = role ?? done.fragmentRole;
  });
  const change = await migrateStream(run, work, witness);
  if (change.migrations.length === 0 && (await wantsFragmentRole(work.client, settings))) {
    await lockingTransaction(work.client, lockPolicy(options.log), () =>
      witness.within(async () => [], []),
    );
  }
  done.begun = change.migrations.length > 0 || done.fragmentRole !== null;
  done.streams.push(change);
}

async function migrateCron(run: UpRun, done: Done): Promise<void> {
  const { options, release, cron } = run;
  if (cron === undefined) return;
  const earlier = options.ofMode?.cronReleases ?? new Map<string, number>();
  const hasNew = cron.selected.some(({ name }) => !earlier.has(name));
  if (!done.begun && hasNew) done.begun = await release.begin();
  const last = done.begun ? release.number : Math.max(0, ...earlier.values());
  const witness = recorded(
    run,
    cron,
    async (migrate) => {
      await migrate();
      if (earlier.size > 0) await attributeToReleases(cron.client, cron.plan.schema, earlier);
    },
    last,
  );
  done.streams.push(await migrateStream(run, cron, witness));
}

async function connect({
  settings,
  options,
  work,
  cron,
}: UpRun): Promise<Pick<UpReport, 'jobs' | 'linkRenewed' | 'room'>> {
  if (cron === undefined || !isComplete(work) || !isComplete(cron))
    return { jobs: [], linkRenewed: false, room: null };
  const databases = { work: work.client, cron: cron.client };
  const { actions, desired } = await connectCronSide(databases, settings);
  const room = options.judgesRoom === false ? null : await reportRoom(databases, settings, desired);
  return { jobs: actions, linkRenewed: settings.transport === 'link', room };
}

/** Says of a failure of the cron side that the work side is done. */
async function aroundCron<T>(done: Done, settings: Settings, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    const [first] = done.streams;
    if (first?.stream !== 'work' || !(error instanceof Error)) throw error;
    throw new CronStreamError(settings, first, error);
  }
}

function recorded(
  { settings, release }: UpRun,
  { client, plan }: StreamRun,
  within: Witness['within'],
  number = release.number,
) {
  return recording(client, objectScope(settings, plan.stream), number, within);
}

async function migrateStream(
  { options, release }: UpRun,
  { client, plan }: StreamRun,
  witness: Witness,
): Promise<StreamChange> {
  const { to, log, onProgress } = options;
  const { stream, database, schema, migrations } = plan;
  const applied = await migrateUp({
    client,
    schema,
    migrations,
    to,
    release: release.number,
    packageVersion: release.packageVersion,
    witness,
    ...lockPolicy(log),
    onProgress: (step) => onProgress?.({ stream, ...step }),
  });
  return { stream, database, schema, migrations: applied };
}

/** Once what was selected is applied. */
function isComplete({ plan, selected }: StreamRun): boolean {
  return selected.length === plan.pending.length;
}
