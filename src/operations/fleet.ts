import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { unlessRefused } from '../database/unless-refused.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { type DesiredJob, desiredJobs } from '../jobs/apply-jobs.js';
import { type Drift, readDrift } from '../jobs/drift.js';
import {
  type RunsOfFleet,
  readPlaces,
  readPlacesHeld,
  readRunsByJob,
  readRunsOf,
} from '../jobs/fleet-jobs.js';
import { type CronSide, readCronSides } from '../jobs/left-behind.js';
import { requirePgCron } from '../jobs/require-pg-cron.js';
import { whyUnserved } from '../jobs/why-none-starts.js';
import { type Hold, readHolds } from '../processor/holds.js';
import { readQueueDepth } from '../processor/read-queue-depth.js';
import { readRecentResults } from '../processor/read-recent-results.js';
import { readThroughput } from '../processor/read-throughput.js';
import {
  type LastRelease,
  readCronVersion,
  readLastRelease,
} from '../releases/read-last-release.js';
import type { Mode, Settings } from '../settings/settings.js';
import { inParallel } from './in-parallel.js';
import { type Survey, surveyLeftBehind } from './left-behind.js';

/** Connections to work databases at a time: they are also what the jobs need. */
const CONNECTIONS = 4;

/** Over which the rate is taken. */
const RATE_MINUTES = 5;

export type FleetPart =
  | 'packageVersion'
  | 'release'
  | 'holds'
  | 'queue'
  | 'perMinute'
  | 'results'
  | 'drift'
  | 'runs'
  | 'placesHeld';

/** A deployment that this cron role can see. What is null is unknown, and `unknown` says why. */
export interface FleetDeployment {
  readonly database: string;
  readonly schema: string;
  readonly cronSchema: string;
  readonly mode: Mode;
  /** Of the last release; where that is unknown, of the cron stream. */
  readonly packageVersion: string | null;
  readonly release: LastRelease | null;
  readonly holds: readonly Hold[] | null;
  readonly queue: {
    readonly queued: number;
    readonly waiting: number;
    /** Left out when the queue is empty. */
    readonly oldestSeconds: number | undefined;
  } | null;
  /** Fragments settled per minute, over the last five. */
  readonly perMinute: number | null;
  /** Of the fragments. */
  readonly results: {
    readonly failedLastHour: number;
    /** Left out when there was none in the last hour. */
    readonly lastSuccess: Date | undefined;
  } | null;
  readonly drift: readonly Drift[] | null;
  /** Of pg_cron's runs, as far back as their history is kept. */
  readonly runs: (RunsOfFleet & { readonly jobs: number }) | null;
  /** How many of its jobs pg_cron runs at this moment. */
  readonly placesHeld: number | null;
  readonly unknown: readonly { readonly part: FleetPart; readonly reason: string }[];
}

export interface FleetReport {
  /** pg_cron's database, and the role whose deployments these are. */
  readonly cronDatabase: string;
  readonly cronRole: string;
  readonly deployments: readonly FleetDeployment[];
  /** How many jobs pg_cron runs at once, those of all roles together; null: hidden from this role. */
  readonly places: number | null;
  /** Why pg_cron starts none of the jobs, however they are. */
  readonly notStarted?: string;
  /** Dropped databases that left something; prune removes it. */
  readonly leftBehind: readonly string[];
  readonly renamed: Survey['renamed'];
  /** Schemas of deployments of other cron roles, of which nothing else can be seen. */
  readonly unseen: readonly string[];
}

/** All deployments of the cron role in this pg_cron. Changes nothing; needs no work database. Raises PgCronMissingError. */
export async function readFleet(settings: Settings): Promise<FleetReport> {
  return withClient(settings.cron, async (cron) => {
    await requirePgCron(cron, settings);
    const survey = await surveyLeftBehind(cron);
    const { own } = await readCronSides(cron);
    const sides = own.filter(({ nameInUse, nameNow }) => nameInUse || nameNow !== undefined);
    const runs = await attempt(() => readRunsByJob(cron));
    const notStarted = sides.length > 0 ? await whyUnserved(cron, settings) : undefined;
    const asked = await inParallel(sides, CONNECTIONS, async (side) => {
      const its = settingsOf(settings, side);
      return { side, its, work: await readWorkSide(its, side) };
    });
    const deployments: FleetDeployment[] = [];
    // A connection takes one statement at a time.
    for (const { side, its, work } of asked) {
      deployments.push(await readDeployment(cron, its, side, work, runs));
    }
    return {
      cronDatabase: settings.cron.database,
      cronRole: settings.cron.user,
      deployments: deployments.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
      places: (await readPlaces(cron)) ?? null,
      ...(notStarted !== undefined && { notStarted }),
      leftBehind: survey.dropped.map(({ workDatabase }) => workDatabase),
      renamed: survey.renamed,
      unseen: survey.unseen,
    };
  });
}

function keyOf({ database, schema }: FleetDeployment): string {
  return JSON.stringify([database, schema]);
}

type Attempt<T> = { readonly value: T } | { readonly reason: string };

/** Whatever the server refuses, and whichever connection fails. */
async function attempt<T>(read: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return await unlessRefused<Attempt<T>>(
      async () => ({ value: await read() }),
      (reason) => ({ reason }),
    );
  } catch (error) {
    if (!(error instanceof PcacheError)) throw error;
    const { message, remedy } = error;
    const sentence = message.endsWith('.') ? message : `${message}.`;
    return { reason: remedy === undefined ? sentence : `${sentence} ${remedy}` };
  }
}

/** What is read in the work database. */
interface WorkSide {
  readonly release: Attempt<LastRelease | undefined>;
  readonly holds: Attempt<readonly Hold[]>;
  readonly queue: Attempt<NonNullable<FleetDeployment['queue']>>;
  readonly perMinute: Attempt<number>;
  readonly results: Attempt<NonNullable<FleetDeployment['results']>>;
  readonly desired: Attempt<readonly DesiredJob[]>;
}

async function readDeployment(
  cron: ClientBase,
  its: Settings,
  side: CronSide,
  work: WorkSide,
  runsByJob: Attempt<ReadonlyMap<number, RunsOfFleet>>,
): Promise<FleetDeployment> {
  const { desired } = work;
  const cronVersion = await attempt(() => readCronVersion(cron, its));
  const found = {
    packageVersion: versionOf(work.release, cronVersion),
    release: required(work.release, 'No release is recorded there.'),
    holds: work.holds,
    queue: work.queue,
    perMinute: work.perMinute,
    results: work.results,
    drift: 'reason' in desired ? desired : await attempt(() => readDrift(cron, its, desired.value)),
    runs:
      'reason' in runsByJob
        ? runsByJob
        : await attempt(() => readRunsOf(cron, side, runsByJob.value)),
    placesHeld: await attempt(() => readPlacesHeld(cron, side)),
  } satisfies Record<FleetPart, Attempt<unknown>>;
  return {
    database: side.workDatabase,
    schema: side.workSchema,
    cronSchema: side.schema,
    mode: side.workDatabase === its.cron.database ? 'single' : 'cross',
    packageVersion: orNull(found.packageVersion),
    release: orNull(found.release),
    holds: orNull(found.holds),
    queue: orNull(found.queue),
    perMinute: orNull(found.perMinute),
    results: orNull(found.results),
    drift: orNull(found.drift),
    runs: orNull(found.runs),
    placesHeld: orNull(found.placesHeld),
    unknown: Object.entries(found).flatMap(([part, read]) =>
      'reason' in read ? [{ part: part as FleetPart, reason: read.reason }] : [],
    ),
  };
}

/** The same cron role in another deployment. */
function settingsOf(settings: Settings, { workDatabase, workSchema, schema }: CronSide): Settings {
  // Without the variables, which name what is to be corrected in another deployment's settings.
  const { variables: _, ...cron } = settings.cron;
  return {
    ...settings,
    work: { ...cron, database: workDatabase },
    schema: workSchema,
    cronSchema: schema,
  };
}

async function readWorkSide(its: Settings, side: CronSide): Promise<WorkSide> {
  const reason = whyAnother(side);
  if (reason !== undefined) return nothingOf({ reason });
  const connected = await attempt(() =>
    withClient(its.work, async (work) => {
      const part = <T>(read: () => Promise<T>) =>
        attempt(() =>
          inReadOnlyTransaction(work, async () => {
            // A busy database shall not hold up the view of the others.
            await work.query("SET LOCAL statement_timeout = '10s'");
            return read();
          }),
        );
      return {
        release: await part(() => readLastRelease(work, its)),
        holds: await part(() => readHolds(work, its)),
        queue: await part(async () => {
          const { queued, waiting, oldestSeconds } = await readQueueDepth(work, its);
          return { queued, waiting, oldestSeconds };
        }),
        perMinute: await part(async () => rateOf(await readThroughput(work, its))),
        results: await part(() => readRecentResults(work, its)),
        desired: await part(() => desiredJobs(work, its)),
      };
    }),
  );
  return 'reason' in connected ? nothingOf(connected) : connected.value;
}

function nothingOf(unknown: { readonly reason: string }): WorkSide {
  return {
    release: unknown,
    holds: unknown,
    queue: unknown,
    perMinute: unknown,
    results: unknown,
    desired: unknown,
  };
}

/** Why what has the recorded name is not what was deployed; undefined where it is. */
function whyAnother({ workDatabase, nameNow }: CronSide): string | undefined {
  if (nameNow === workDatabase) return undefined;
  const adopt = 'Put it right with pcache-migrate adopt and the settings of that deployment.';
  return nameNow === undefined
    ? `The database that was deployed is gone, and another has its name now. ${adopt}`
    : `The database that was deployed is called "${shown(nameNow)}" now. ${adopt}`;
}

function rateOf(throughput: readonly { minutes: number; settled: number }[]): number {
  return throughput
    .filter(({ minutes }) => minutes === RATE_MINUTES)
    .reduce((sum, { settled }) => sum + settled / RATE_MINUTES, 0);
}

function versionOf(
  release: Attempt<LastRelease | undefined>,
  cronVersion: Attempt<string | undefined>,
): Attempt<string> {
  if ('value' in release && release.value) return { value: release.value.packageVersion };
  return required(cronVersion, 'No migration is recorded.');
}

function required<T>(read: Attempt<T | undefined>, reason: string): Attempt<T> {
  if ('reason' in read) return read;
  return read.value === undefined ? { reason } : { value: read.value };
}

function orNull<T>(read: Attempt<T>): T | null {
  return 'value' in read ? read.value : null;
}
