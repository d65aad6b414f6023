import type { ClientBase } from 'pg';
import { withClient } from '../database/connect.js';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { readMoveOf, requireNoCronMove } from '../deployment/cron-move.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { requireRecentPackage } from '../deployment/require-deployed.js';
import { UnknownDatabaseError } from '../deployment/require-in-place.js';
import { ownersToRestore, restoreOwners } from '../deployment/restored-owners.js';
import { readStreamPlan } from '../deployment/stream-plan.js';
import { isMoved, readWhereabouts, type Whereabouts } from '../deployment/whereabouts.js';
import {
  type Databases,
  withDatabases,
  withLockedMovedDatabases,
} from '../deployment/with-databases.js';
import { findUnreadableTables, type UnreadableTables } from '../doctor/unreadable-tables.js';
import { shown } from '../errors/shown.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import { reportObjects, rolesOfOwner } from '../objects/object-report.js';
import { type Restored, restoreObjects } from '../objects/restore-objects.js';
import { objectScope } from '../objects/scope.js';
import { placeHold } from '../processor/holds.js';
import type { Settings } from '../settings/settings.js';
import { adoptCronStream, type CronStreamPlan, planCronStream } from './adopt-cron-stream.js';
import { adoptNames, namesStep } from './adopt-names.js';
import type { AdoptOptions, AdoptPreview, AdoptReport, AdoptStep } from './adopt-report.js';
import { attempt, type Begin } from './attempt.js';
import { cacheTablesWithoutGrants, grantOnCacheTables } from './cache-grants.js';
import { connectCronSide } from './connect-cron-side.js';
import { type OldPlace, readOldPlace } from './old-place.js';
import { preflight } from './preflight.js';
import { removeCronSide } from './remove-cron-side.js';
import type { Findings } from './stopped-error.js';
import { restorableOf } from './verify.js';

const NOTHING_DONE = {
  confirmed: true,
  administrator: [],
  restored: [],
  refused: [],
  removed: [],
  jobs: [],
} as const;

/** Each step finds out for itself whether it is due, so that a call after a crash goes on where that stopped. */
export async function adoptMoved(settings: Settings, options: AdoptOptions): Promise<AdoptReport> {
  const owners = await withClient(settings.work, async (work) => {
    const lost = await ownersToRestore(work, settings);
    // Before the administrator mends anything: the error says that nothing was changed.
    if (lost.length === 0) await readKnownWhereabouts(work, settings);
    return lost;
  });
  if (owners.length > 0) return withOwners(settings, options, owners);
  // What fails tells what is done by then: a part of it may be.
  return attempt(
    () => false,
    (begin) => adoptOwned(settings, options, begin),
  );
}

/** Once the migrator has what is its own. */
async function adoptOwned(
  settings: Settings,
  options: AdoptOptions,
  begin: Begin,
): Promise<AdoptReport> {
  const administrator = options.dryRun
    ? []
    : await preflight(settings, ['work', 'cron'], options, undefined, [DATABASE_IDENTITY]);
  return withLockedMovedDatabases(settings, options, async (databases) => {
    // The checks were before the lock, and a change of mode may have begun meanwhile.
    await requireNoCronMove(databases.work, settings);
    const plan = await planAdoption(databases, settings);
    const { preview } = plan;
    const { dryRun } = options;
    if (dryRun || preview.steps.length === 0) {
      return { ...preview, dryRun, ...NOTHING_DONE, administrator };
    }
    if (!(await options.confirm(preview))) {
      return { ...preview, dryRun, ...NOTHING_DONE, administrator, confirmed: false };
    }
    begin(() => findings(settings, preview));
    const done = await carryOut(databases, settings, options, plan);
    return { ...preview, dryRun, confirmed: true, administrator, ...done };
  });
}

/** What of that is still to be done, as it is found over new connections. */
async function findings(settings: Settings, { steps }: AdoptPreview): Promise<Findings> {
  const next = 'run pcache-migrate adopt again; it goes on from there.';
  try {
    const { preview } = await withDatabases(settings, (now) => planAdoption(now, settings));
    const isLeft = ({ database, what }: AdoptStep) =>
      preview.steps.some((step) => step.database === database && step.what === what);
    return {
      said: [
        ...steps.filter((step) => !isLeft(step)).map((step) => `Done: ${stepText(step)}`),
        ...preview.steps.map((step) => `To be done: ${stepText(step)}`),
      ],
      next,
      isUntouched: false,
    };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = shown(error.message);
    const said = `What of it is done is unknown: ${reason}. Then see: pcache-migrate adopt --dry-run`;
    return { said: [said], next, isUntouched: false };
  }
}

function stepText({ database, what }: AdoptStep): string {
  return shown(`in database "${database}": ${what}`);
}

/** The check that the moved database fails. */
const DATABASE_IDENTITY = 'database-identity';

/** Until the migrator has what is its own, nothing else can be looked at. */
async function withOwners(
  settings: Settings,
  options: AdoptOptions,
  owners: readonly string[],
): Promise<AdoptReport> {
  const { database, user } = settings.work;
  const preview: AdoptPreview = {
    found: await withClient(settings.work, (work) => readWhereabouts(work, settings)),
    steps: [
      {
        database,
        what: `give ${owners.length} objects back to role "${user}", which whoever restored them owns; what else is due can be seen only then`,
      },
    ],
    left: [],
  };
  const { dryRun } = options;
  if (dryRun) return { ...preview, dryRun, ...NOTHING_DONE };
  if (!(await options.confirm(preview))) {
    return { ...preview, dryRun, ...NOTHING_DONE, confirmed: false };
  }
  await withClient(settings.work, (work) => restoreOwners(work, settings, owners, options.log));
  const report = await adoptMoved(settings, options);
  return {
    ...report,
    steps: [...preview.steps, ...report.steps],
    administrator: [...owners, ...report.administrator],
  };
}

interface Adoption {
  readonly preview: AdoptPreview;
  readonly oldPlace: OldPlace | undefined;
  readonly cron: CronStreamPlan;
  readonly restores: boolean;
  /** Where privileges were lost. */
  readonly unreadable: UnreadableTables | undefined;
  /** Cache tables. */
  readonly ungranted: readonly string[];
  readonly connects: boolean;
}

async function readKnownWhereabouts(
  work: ClientBase,
  settings: Settings,
): Promise<Exclude<Whereabouts, { kind: 'unknown' }>> {
  const found = await readWhereabouts(work, settings);
  if (found.kind === 'unknown') throw new UnknownDatabaseError(found, settings);
  return found;
}

async function planAdoption(databases: Databases, settings: Settings): Promise<Adoption> {
  const { work, cron } = databases;
  requireRecentPackage(await readStreamPlan(work, settings, 'work'));
  const found = await readKnownWhereabouts(work, settings);
  const moved = isMoved(found);
  const cronMove = moved ? await readMoveOf(work, settings, found.origin) : undefined;
  const oldPlace = moved ? await readOldPlace(cron, settings, found) : undefined;
  const stream = await planCronStream(databases, settings, found);
  const restorable = moved ? await restorableCount(databases, settings) : 0;
  const unreadable = restorable > 0 ? await unreadableTables(work, settings) : undefined;
  const ungranted = moved ? await cacheTablesWithoutGrants(work, settings) : [];
  const steps: AdoptStep[] = [
    ...(oldPlace?.steps ?? []),
    ...stream.steps,
    ...(restorable === 0
      ? []
      : [
          {
            database: settings.work.database,
            what: `restore ${restorable} definitions, owners and grants as the releases left them`,
          },
        ]),
    ...(ungranted.length === 0
      ? []
      : [
          {
            database: settings.work.database,
            what: `give the clients and role "${settings.cron.user}" their rights on ${ungranted.length} cache tables`,
          },
        ]),
    ...(moved ? [namesStep(settings, found)] : []),
    ...(unreadable === undefined
      ? []
      : [
          {
            database: settings.work.database,
            what: `pause processing: role "${unreadable.role}", whose rights fragments have, may not read ${unreadable.lines.length} tables, as after a restore without privileges, and what is queued would fail`,
          },
        ]),
    ...(stream.connects
      ? [
          {
            database: settings.cron.database,
            what: `schedule the jobs of database "${settings.work.database}" as its processors are configured`,
          },
        ]
      : []),
  ];
  return {
    preview: {
      found,
      steps,
      left: oldPlace?.left ?? [],
      ...(cronMove && { cronMove }),
      ...(unreadable && { unreadable }),
    },
    oldPlace,
    cron: stream,
    restores: restorable > 0,
    unreadable,
    ungranted,
    connects: stream.connects,
  };
}

/** Undefined where fragments may read all. */
async function unreadableTables(
  work: ClientBase,
  settings: Settings,
): Promise<UnreadableTables | undefined> {
  const found = await findUnreadableTables(work, settings);
  return found.lines.length === 0 ? undefined : found;
}

async function restorableCount({ work }: Databases, settings: Settings): Promise<number> {
  const report = await inReadOnlyTransaction(work, () =>
    reportObjects(work, settings, objectScope(settings, 'work')),
  );
  return restorableOf(report).length + report.notCompared.length;
}

type Done = Pick<AdoptReport, 'restored' | 'refused' | 'removed' | 'jobs'>;

/** First what the old name has, then the new place, and the record last: until then the database counts as moved. */
async function carryOut(
  databases: Databases,
  settings: Settings,
  options: AdoptOptions,
  { preview: { found }, oldPlace, cron, restores, unreadable, ungranted, connects }: Adoption,
): Promise<Done> {
  const removed = oldPlace?.side
    ? [await removeCronSide(databases.cron, settings, oldPlace.side, options)]
    : [];
  await adoptCronStream(databases, settings, cron, options.log);
  const { restored, refused } = restores
    ? await restore(databases, settings, options, unreadable)
    : { restored: [], refused: [] };
  await grantOnCacheTables(databases.work, settings, ungranted);
  if (isMoved(found)) await adoptNames(databases.work, settings, found);
  const jobs = connects ? (await connectCronSide(databases, settings)).actions : [];
  return { removed, restored: restored.map(({ object }) => object), refused, jobs };
}

async function restore(
  { work }: Databases,
  settings: Settings,
  { log }: AdoptOptions,
  unreadable: UnreadableTables | undefined,
): Promise<Restored> {
  const scope = objectScope(settings, 'work');
  const roles = await rolesOfOwner(work, scope);
  return lockingTransaction(work, lockPolicy(log), async () => {
    const restored = await restoreObjects(work, scope, (role) => roles.has(role));
    // With it, since nothing shows afterwards that privileges were lost.
    if (unreadable !== undefined) {
      const { role } = unreadable;
      await placeHold(work, settings, 'pause', `adopt: role "${role}" may not read all tables`);
    }
    return restored;
  });
}
