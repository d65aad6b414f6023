import { hostname } from 'node:os';
import type { ClientBase } from 'pg';
import { withAdvisoryLock } from '../database/advisory-lock.js';
import { atOnce } from '../database/at-once.js';
import { backendPid } from '../database/backend-pid.js';
import { withClient } from '../database/connect.js';
import { requireCronPlace } from '../deployment/cron-place.js';
import { version } from '../deployment/package-version.js';
import { requireRecentPackage } from '../deployment/require-deployed.js';
import { readStreamPlan, type StreamPlan } from '../deployment/stream-plan.js';
import { streamSites } from '../deployment/stream-sites.js';
import { withLockedDatabases } from '../deployment/with-databases.js';
import { selectUp } from '../migrations/select-migrations.js';
import type { StreamName } from '../migrations/streams.js';
import type { PlanHash } from '../plan/plan-hash.js';
import { type WatchedPlan, watchPlan } from '../plan/watched-plan.js';
import {
  endLostReleases,
  nextReleaseNumber,
  type ReleaseIdentity,
} from '../releases/record-release.js';
import { releaseRun } from '../releases/release-run.js';
import type { Settings } from '../settings/settings.js';
import { attempt, type Begin } from './attempt.js';
import { changedObjectsLeft } from './changed-objects-left.js';
import { CronStreamError } from './cron-stream-error.js';
import { jobsStandingText } from './jobs-standing.js';
import { preflight } from './preflight.js';
import { requireNoDrift } from './require-no-drift.js';
import { releasesOf } from './rollback-states.js';
import type { Findings } from './stopped-error.js';
import { asRelease, type StreamRun, type UpRun } from './up-as-release.js';
import type { UpOptions, UpReport } from './up-report.js';
import { isDone, isUntouched, standingText, type Undertaking, whatStands } from './what-stands.js';

const isCronStreamError = (error: Error) => error instanceof CronStreamError;

/**
 * Applies what is pending: work first, then cron. A run that changes something is a release, and so is one that fails
 * to. Raises before anything is changed: PreflightError; LockBusyError when another run does not end in time;
 * PlanChangedError when the plan is not the approved one; PackageTooOldError when a newer package has shut this one
 * out; CronMovingError while a change of mode is under way; DriftInTheWayError or DriftUnknownError when something changed by hand would be lost, or may be. And CronStreamError
 * when only the first half succeeded, StoppedError when that had to be found out.
 */
export async function up(settings: Settings, options: UpOptions): Promise<UpReport> {
  const plan = watchPlan(settings, options, options.approval);
  return attempt(isCronStreamError, async (begin) => {
    const administrator = await preflight(settings, options.streams, options, plan.beforeRemedies, [
      ...(options.takeOver === undefined ? [] : IN_THE_WAY),
      ...(options.ofMode === undefined ? [] : ['recorded-place']),
    ]);
    const locked = (work: ClientBase, cron: ClientBase | undefined) =>
      upLocked(settings, options, plan, begin, work, cron);
    const report = options.streams.includes('cron')
      ? await withLockedDatabases(settings, options, ({ work, cron }) => locked(work, cron))
      : await withClient(settings.work, (work) =>
          withAdvisoryLock(work, streamSites(settings).work.lock, options, () =>
            locked(work, undefined),
          ),
        );
    return { administrator, ...report };
  });
}

/** The checks that complain of what is taken over. */
export const IN_THE_WAY = ['own-tables', 'client-functions', 'foreign-functions'];

type Report = Omit<UpReport, 'administrator'>;

async function upLocked(
  settings: Settings,
  options: UpOptions,
  watched: WatchedPlan,
  begin: Begin,
  workClient: ClientBase,
  cronClient: ClientBase | undefined,
): Promise<Report> {
  // The checks were before the lock, and a change of mode may have had it meanwhile.
  if (options.ofMode === undefined) await requireCronPlace(workClient, settings);
  const [work, cron] = await atOnce(
    () => streamRun(settings, options, 'work', workClient),
    async () => cronClient && streamRun(settings, options, 'cron', cronClient),
  );
  if (!options.overwriteDrift) {
    await requireNoDrift(
      settings,
      [work, ...(cron ? [cron] : [])].map(({ client, plan, selected }) => ({
        client,
        stream: plan.stream,
        scripts: selected.map(({ up }) => up.sql),
      })),
    );
  }
  const planHash = await watched.underLock();
  await endLostReleases(work.client, settings, (number) => appliedBy(cron?.plan, number));
  const number = await nextReleaseNumber(
    work.client,
    settings,
    releasesOf(cron ? [cron.plan] : []),
  );
  const release = releaseRun(work.client, settings, number, identityOf(options, planHash));
  const run: UpRun = { settings, options, release, work, cron };
  const undertaken = await Promise.all([work, ...(cron ? [cron] : [])].map(undertaking));
  begin(() => findings(settings, undertaken));
  const done = await asRelease(run);
  const sites = [work, ...(cron ? [cron] : [])].map(({ client, plan }) => ({
    client,
    stream: plan.stream,
  }));
  return { planHash, ...done, changed: await changedObjectsLeft(sites, settings) };
}

async function streamRun(
  settings: Settings,
  { streams, to }: UpOptions,
  stream: StreamName,
  client: ClientBase,
): Promise<StreamRun> {
  const plan = await readStreamPlan(client, settings, stream);
  requireRecentPackage(plan);
  const names = streams.includes(stream)
    ? selectUp(
        plan.applied.map(({ name }) => name),
        plan.migrations.map(({ name }) => name),
        to,
      )
    : [];
  const selected = plan.migrations.filter(({ name }) => names.includes(name));
  return { client, plan, selected };
}

function appliedBy(plan: StreamPlan | undefined, release: number): string[] {
  const applied = plan?.applied.filter(({ record }) => record?.release === release) ?? [];
  return applied.map(({ name }) => name);
}

function identityOf({ label, program }: UpOptions, planHash: PlanHash): ReleaseIdentity {
  const packageVersion = version();
  return {
    packageVersion,
    planHash,
    label,
    host: hostname(),
    program: program ?? `pcache-migrate ${packageVersion}, Node ${process.version}`,
  };
}

async function undertaking({ client, plan, selected }: StreamRun): Promise<Undertaking> {
  return {
    stream: plan.stream,
    direction: 'up',
    migrations: selected.map(({ name }) => name),
    pid: await backendPid(client),
  };
}

async function findings(settings: Settings, undertaken: readonly Undertaking[]): Promise<Findings> {
  const streams = await whatStands(settings, undertaken);
  const isAll = streams.length === 2 && streams.every(isDone);
  return {
    said: [...streams.map(standingText), ...(isAll ? [await jobsStandingText(settings)] : [])],
    next: 'run pcache-migrate up again; it goes on from there.',
    streams,
    isUntouched: isUntouched(streams),
  };
}
