import type { ClientBase } from 'pg';
import {
  advisoryLockHolder,
  describeLockHolder,
  type LockHolder,
} from '../database/advisory-lock.js';
import { atOnce } from '../database/at-once.js';
import { whileConnecting, withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import { isServersRefusal } from '../database/database-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { type WhyReadOnly, whyReadOnly } from '../database/read-only-database.js';
import { unlessRefused } from '../database/unless-refused.js';
import type { CronMove } from '../deployment/cron-move.js';
import { readCronStanding } from '../deployment/cron-place.js';
import { definersOfSuperusers } from '../deployment/definers-of-superusers.js';
import { describeWhereabouts } from '../deployment/describe-whereabouts.js';
import { type KeptTable, readKept } from '../deployment/kept-tables.js';
import { findLostDeployment, type LostDeployment } from '../deployment/lost-deployment.js';
import { readStandIns } from '../deployment/stand-ins.js';
import { readStreamState, type StreamState } from '../deployment/stream-plan.js';
import { streamSites } from '../deployment/stream-sites.js';
import { isMoved, readWhereabouts, type Whereabouts } from '../deployment/whereabouts.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { desiredJobs } from '../jobs/apply-jobs.js';
import { type Drift, readDrift } from '../jobs/drift.js';
import { LINK_UNKNOWN, type LinkDrift, readLinkDrift } from '../jobs/link-drift.js';
import { type JobStatus, readJobs } from '../jobs/read-jobs.js';
import { isPgCronMissing } from '../jobs/require-pg-cron.js';
import { whyNoneStarts } from '../jobs/why-none-starts.js';
import type { StreamName } from '../migrations/streams.js';
import { objectsChanged } from '../objects/examine-objects.js';
import { objectScope } from '../objects/scope.js';
import { type Hold, readHolds } from '../processor/holds.js';
import { type ProcessorStatus, readProcessors } from '../processor/read-processors.js';
import { findHalfUndone, type HalfUndone } from '../releases/half-undone.js';
import { readReleases } from '../releases/read-releases.js';
import type { Mode, Settings, Transport } from '../settings/settings.js';
import { surveyLeftBehind } from './left-behind.js';

export interface StreamStatus {
  readonly stream: StreamName;
  readonly database: string;
  readonly schema: string;
  readonly applied: readonly { readonly name: string; readonly appliedAt: Date }[];
  readonly pending: readonly string[];
  /** Applied by a newer version of this package, which this one does not have. */
  readonly newer: readonly string[];
  /** That version. */
  readonly newerPackage?: string;
  /** How the ledger is at odds with this package, so that nothing may be built on it. */
  readonly problems: readonly string[];
  readonly remedy?: string;
}

export interface ObjectsStatus {
  readonly stream: StreamName;
  readonly database: string;
  readonly changed: boolean;
}

export interface StatusReport {
  readonly mode: Mode;
  readonly transport: Transport;
  /** The database of this deployment's cron stream, where that is not the one of the settings. */
  readonly cronElsewhere?: string;
  /** A change of mode that has begun and is not finished. */
  readonly cronMove?: CronMove;
  /** Another command that changes this deployment right now: what is said here is of a moment in between. */
  readonly atWork?: LockHolder;
  /** Why nothing can be written in the work database; where that is so for all, nothing is processed. */
  readonly readOnly?: WhyReadOnly;
  /** Whether the work database is the one that was deployed. */
  readonly whereabouts: Whereabouts;
  readonly streams: readonly StreamStatus[];
  /** Who keeps processing from going on. */
  readonly holds: readonly Hold[];
  readonly processors: readonly ProcessorStatus[];
  readonly jobs: readonly JobStatus[];
  readonly drift: readonly Drift[];
  /** How the link differs from the settings, its password included. */
  readonly link?: LinkDrift;
  /** Why pg_cron starts none of the jobs, however they are. */
  readonly notStarted?: string;
  /** What was deployed here, and is not where it should be. */
  readonly lost?: LostDeployment;
  /** Whether verify would find that something of ours is not as the releases left it. */
  readonly objects: readonly ObjectsStatus[];
  /** What a rollback kept, since it held rows, and no `up` has taken back. */
  readonly kept: readonly KeptTable[];
  /** Procedures that do nothing, which pg_cron's jobs call in the place of those that were rolled back. */
  readonly standIns: readonly string[];
  /** A release of which a rollback, or a part of one, has taken something away. */
  readonly halfUndone?: HalfUndone;
  /** What dropped work databases have left in the pg_cron database; prune removes it. */
  readonly leftBehind: readonly string[];
  /** What could not be read, each with the reason; it is not said to be in order. */
  readonly unknown: readonly string[];
  /** Why the pg_cron database could not be read; then the report says nothing about it. */
  readonly cronUnreachable?: string;
  /** The database that was deployed and can be written in, nothing pending, no problem, nothing changed by hand, no drift, of the link neither, nothing unknown, and pg_cron starts its jobs. */
  readonly upToDate: boolean;
}

/** What is deployed, what is pending, and how pg_cron's jobs differ from the configuration. Changes nothing. */
export async function readStatus(settings: Settings): Promise<StatusReport> {
  return whileConnecting(settings.cron, (begun) =>
    withClient(settings.work, async (work) => {
      try {
        return await withClient(settings.cron, (cron) => readBoth(settings, work, cron), begun);
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        // When pg_cron cannot be reached, what the work database knows is needed most.
        const report = await readBoth(settings, work, undefined);
        return { ...report, cronUnreachable: `${error.message}. ${error.remedy}`, upToDate: false };
      }
    }),
  );
}

/** A command that changes the deployment has it change under the eyes of this one. */
export class AtWorkError extends PcacheError {
  override readonly name = 'AtWorkError';

  constructor({ work }: Settings, holder: LockHolder, cause: unknown) {
    super(
      `pcache-migrate is at work in database "${work.database}" (${describeLockHolder(holder)}), and what was to be read changed meanwhile: ${describeRefusal(cause)}`,
      { remedy: 'Run it again when that command is done.', exitCode: EXIT_CODES.busy, cause },
    );
  }
}

async function readBoth(
  settings: Settings,
  work: ClientBase,
  cron: ClientBase | undefined,
): Promise<StatusReport> {
  const lock = streamSites(settings).work.lock;
  const atWork = await advisoryLockHolder(work, lock);
  try {
    return await readWhile(settings, work, cron, atWork);
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    // It may have begun, or ended, since.
    const holder = atWork ?? (await advisoryLockHolder(work, lock));
    throw holder === undefined ? error : new AtWorkError(settings, holder, error);
  }
}

async function readWhile(
  settings: Settings,
  work: ClientBase,
  cron: ClientBase | undefined,
  atWork: LockHolder | undefined,
): Promise<StatusReport> {
  const [workState, cronState] = await atOnce(
    () => readStreamState(work, settings, 'work'),
    async () => cron && readStreamState(cron, settings, 'cron'),
  );
  const { elsewhere: cronElsewhere, move: cronMove } = await readCronStanding(work, settings);
  const states = [workState, ...(cronState ? [cronState] : [])];
  const readOnly = await whyReadOnly(work, settings.work);
  const whereabouts = await readWhereabouts(work, settings);
  const unknown: string[] =
    whereabouts.kind === 'unknown'
      ? [`${describeWhereabouts(whereabouts, settings)} ${whereabouts.remedy}`]
      : [];
  // Whatever the ledgers say: most is needed when they are not as they should be.
  const read = <T>(what: string, from: readonly StreamState[], part: () => Promise<T[]>) =>
    from.every(({ applied }) => applied.length > 0) ? known(what, unknown, part) : [];
  const holds = await known('holds', unknown, () => readHolds(work, settings));
  const processors = await read('processors', [workState], () => readProcessors(work, settings));
  const jobs = cron ? await read('jobs', states, () => readJobs(cron, settings)) : [];
  const drift = cron
    ? await read('drift of the jobs', states, async () =>
        readDrift(cron, settings, await desiredJobs(work, settings)),
      )
    : [];
  const { notStarted, unknown: unseen } =
    cron && jobs.length > 0 ? await whyNoneStarts({ work, cron }, settings) : {};
  if (unseen !== undefined) unknown.push(unseen);
  const [link] = atWork
    ? []
    : await known('link', unknown, () => readLink(work, settings, unknown));
  // What is changing is not compared: the locks which that takes could make the other command fail.
  const compared = atWork ? [] : [[workState, work] as const, [cronState, cron] as const];
  const objects = await atOnce(
    ...compared.map(
      ([state, client]) =>
        async () =>
          readObjects(client, settings, state),
    ),
  );
  unknown.push(...objects.flatMap((found) => found.unknown));
  const lost = await findLostDeployment(work, settings);
  const kept = await known('kept tables', unknown, () => readKept(work, settings));
  const [halfUndone] = await known('releases', unknown, async () => {
    // The cron stream of a database that was renamed or copied is that of another name.
    if (isMoved(whereabouts)) return [];
    const applied = (state: StreamState) => state.applied.map(({ name }) => name);
    const found = findHalfUndone(await readReleases(work, settings), {
      work: applied(workState),
      cron: cronState && applied(cronState),
    });
    return found ? [found] : [];
  });
  const leftBehind = cron
    ? await known('what dropped databases left behind', unknown, async () =>
        (await surveyLeftBehind(cron)).dropped.map(({ workDatabase }) => workDatabase),
      )
    : [];
  return {
    mode: settings.mode,
    transport: settings.transport,
    ...(cronElsewhere !== undefined && { cronElsewhere }),
    ...(cronMove !== undefined && { cronMove }),
    ...(atWork !== undefined && { atWork }),
    ...(readOnly !== undefined && { readOnly }),
    whereabouts,
    streams: states.map(streamStatus),
    holds,
    processors,
    jobs,
    drift,
    ...(link !== undefined && { link }),
    ...(notStarted !== undefined && { notStarted }),
    ...(lost && { lost }),
    objects: objects.flatMap(({ known }) => known),
    kept,
    standIns: await readStandIns(work, settings),
    ...(halfUndone && { halfUndone }),
    leftBehind,
    unknown,
    upToDate:
      atWork === undefined &&
      cronElsewhere === undefined &&
      cronMove === undefined &&
      readOnly === undefined &&
      link === undefined &&
      notStarted === undefined &&
      states.every(({ pending, fault }) => pending.length === 0 && fault === undefined) &&
      !objects.some(({ known }) => known.some(({ changed }) => changed)) &&
      !isMoved(whereabouts) &&
      drift.length + unknown.length === 0,
  };
}

async function readLink(
  work: ClientBase,
  settings: Settings,
  unknown: string[],
): Promise<LinkDrift[]> {
  if (settings.transport !== 'link') return [];
  const found = await inReadOnlyTransaction(work, () => readLinkDrift(work, settings));
  if (found === 'unknown') unknown.push(LINK_UNKNOWN);
  return typeof found === 'object' ? [found] : [];
}

/** Whatever its ledger says, unless nothing was ever applied. */
async function readObjects(
  client: ClientBase | undefined,
  settings: Settings,
  state: StreamState | undefined,
): Promise<{ readonly known: readonly ObjectsStatus[]; readonly unknown: readonly string[] }> {
  if (client === undefined || state === undefined || state.applied.length === 0) {
    return { known: [], unknown: [] };
  }
  const { stream } = state;
  const what = `objects of the ${stream} stream`;
  const scope = objectScope(settings, stream);
  const unknown: string[] = [];
  const found = await known(what, unknown, async () => {
    const objects = await inReadOnlyTransaction(client, () => objectsChanged(client, scope));
    const hasDefiner =
      stream === 'work' && (await definersOfSuperusers(client, settings)).length > 0;
    return [hasDefiner ? { changed: true } : objects];
  });
  for (const one of found) if ('unknown' in one) unknown.push(`${what}: ${one.unknown}`);
  return {
    known: found.flatMap((one) =>
      'changed' in one ? [{ stream, database: scope.database, changed: one.changed }] : [],
    ),
    unknown,
  };
}

/**
 * Nothing is known of what the server refuses, whatever its reason: migrations are pending, a newer version was here,
 * the role may not look, or somebody changed what is read.
 */
function known<T>(what: string, unknown: string[], part: () => Promise<T[]>): Promise<T[]> {
  const saying = (said: string) => {
    unknown.push(`${what}: ${said}`);
    return [];
  };
  return unlessRefused(part, saying, isPgCronMissing);
}

function streamStatus(state: StreamState): StreamStatus {
  const { stream, database, schema, applied, pending, newer, fault } = state;
  const newerPackage = newer.at(-1)?.record?.packageVersion;
  return {
    stream,
    database,
    schema,
    applied: applied.map(({ name, appliedAt }) => ({ name, appliedAt })),
    pending: pending.map(({ name }) => name),
    newer: newer.map(({ name }) => name),
    ...(newerPackage === undefined ? {} : { newerPackage }),
    problems: fault?.problems ?? [],
    ...(fault?.remedy === undefined ? {} : { remedy: fault.remedy }),
  };
}
