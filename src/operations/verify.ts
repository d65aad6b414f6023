import type { ClientBase } from 'pg';
import { hasSchema } from '../database/catalogue.js';
import { withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import { inReadOnlyTransaction } from '../database/in-read-only-transaction.js';
import { unlessRefused } from '../database/unless-refused.js';
import { cronMoving, cronMovingRemedy } from '../deployment/cron-move.js';
import { cronElsewhere, readCronStanding, requireCronPlace } from '../deployment/cron-place.js';
import { definersOfSuperusers } from '../deployment/definers-of-superusers.js';
import { applyFragmentRole } from '../deployment/fragment-role.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { findLostDeployment } from '../deployment/lost-deployment.js';
import { ownName } from '../deployment/own-names.js';
import { requireRecentPackage } from '../deployment/require-deployed.js';
import { readStreamPlan, readStreamState } from '../deployment/stream-plan.js';
import { streamSites } from '../deployment/stream-sites.js';
import { isMoved, readWhereabouts, type Whereabouts } from '../deployment/whereabouts.js';
import {
  type Databases,
  type LockWait,
  withLockedDamagedDatabases,
} from '../deployment/with-databases.js';
import { shown } from '../errors/shown.js';
import { type AppliedAction, applyJobs, desiredJobs } from '../jobs/apply-jobs.js';
import { type Drift, readDrift } from '../jobs/drift.js';
import { LINK_UNKNOWN, type LinkDrift, readLinkDrift } from '../jobs/link-drift.js';
import { readPgCronVersion } from '../jobs/pg-cron-version.js';
import { isPgCronMissing } from '../jobs/require-pg-cron.js';
import { whyNoneStarts } from '../jobs/why-none-starts.js';
import { ForeignSchemaError, LedgerError } from '../migrations/ledger-error.js';
import { lockingTransaction } from '../migrations/locking-transaction.js';
import type { StreamName } from '../migrations/streams.js';
import type { NamedDifference } from '../objects/named-difference.js';
import {
  type ObjectReport,
  reportObjects,
  rolesOfOwner,
  unknownReport,
} from '../objects/object-report.js';
import { restoreObjects } from '../objects/restore-objects.js';
import { objectScope } from '../objects/scope.js';
import { asPlanner, type Settings } from '../settings/settings.js';
import { plainName } from '../text/plain-name.js';
import { awaitUnwantedRuns } from './drain-runs.js';

// As a sync waits for runs whose jobs it is about to unschedule.
const DRAIN_SECONDS = 5;

export interface VerifyReport {
  /** Whether the work database is the one that was deployed. */
  readonly whereabouts: Whereabouts;
  /** How the ledgers are at odds with this package. */
  readonly ledger: readonly string[];
  readonly databases: readonly ObjectReport[];
  /** How pg_cron's jobs differ from the configuration. */
  readonly jobs: readonly Drift[];
  /** Why pg_cron starts none of them, however they are. */
  readonly notStarted?: string;
  readonly link?: LinkDrift;
  /** What could not be looked at, and why. */
  readonly unknown: readonly string[];
  /** Nothing differs, and everything was looked at. */
  readonly clean: boolean;
}

export interface RestoredObject {
  readonly database: string;
  readonly object: string;
}

export interface FixReport extends VerifyReport {
  readonly confirmed: boolean;
  readonly restored: readonly (RestoredObject & Pick<NamedDifference, 'problem'>)[];
  /** What the server did not let us restore. */
  readonly refused: readonly (RestoredObject & { readonly reason: string })[];
  readonly jobActions: readonly AppliedAction[];
}

export interface FixOptions extends LockWait {
  /** Asked before anything is changed; false ends the command. */
  readonly confirm: (found: VerifyReport) => Promise<boolean>;
  readonly log: (message: string) => void;
}

/**
 * How both databases differ from what the releases left. Changes nothing, and works where nothing can be changed; with
 * `asPlanner` as the role that plans, who may not ask for the jobs.
 */
export async function verify(
  settings: Settings,
  options: { readonly asPlanner?: boolean | undefined } = {},
): Promise<VerifyReport> {
  const planner = options.asPlanner ? settings.planner : undefined;
  return withClient(asPlanner(settings.work, planner), async (work) => {
    try {
      return await withClient(asPlanner(settings.cron, planner), (cron) =>
        examine({ work, cron }, settings),
      );
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      const why = `${error.message}. ${error.remedy}`;
      const databases = [
        await examineStream(work, settings, 'work'),
        unknownReport(objectScope(settings, 'cron'), { unknown: why, isExpected: false }),
      ];
      return concluded(
        await whereabouts(work, settings),
        [
          ...(await ledgerProblems(work, settings, 'work')),
          ...(await placeProblems(work, settings)),
          ...(await lostProblems(work, settings)),
        ],
        databases,
        { jobs: [], unknown: [`pg_cron's jobs: ${why}`] },
        await link(work, settings),
      );
    }
  });
}

/**
 * Restores what may be restored, in one transaction for each database, then the jobs. Raises before anything is
 * changed: LedgerError when a ledger is at odds with this package, PackageTooOldError, UntrustedRecordError.
 */
export async function fix(settings: Settings, options: FixOptions): Promise<FixReport> {
  return withLockedDamagedDatabases(settings, options, async (databases) => {
    await requireCronPlace(databases.work, settings);
    const faults = [
      await ledgerFault(databases.work, settings, 'work'),
      await ledgerFault(databases.cron, settings, 'cron'),
    ];
    const found = await examine(databases, settings);
    requireMendable(faults, found.databases);
    if (!isMendable(found)) return { ...found, confirmed: true, ...NOTHING };
    if (!(await options.confirm(found))) return { ...found, confirmed: false, ...NOTHING };
    const restored: FixReport['restored'][number][] = [];
    const refused: (RestoredObject & { reason: string })[] = [];
    for (const report of found.databases) {
      if (!hasRestorable(report)) continue;
      const scope = objectScope(settings, report.stream);
      const client = databases[report.stream];
      const roles = await rolesOfOwner(client, scope);
      const done = await lockingTransaction(client, lockPolicy(options.log), async () => {
        const result = await restoreObjects(client, scope, (role) => roles.has(role));
        const deployment = `rows of table ${plainName(scope.schema)}.deployment`;
        if (result.restored.some(({ object }) => object === deployment)) {
          await followSettings(databases, settings, report.stream);
        }
        // Not before: the ledger may be part of what was restored.
        requireRecentPackage(await readStreamPlan(client, settings, report.stream));
        return result;
      });
      const { database } = scope;
      restored.push(...done.restored.map((one) => ({ database, ...one })));
      refused.push(...done.refused.map((one) => ({ database, ...one })));
    }
    const jobActions = await mendJobs(databases, settings);
    return {
      ...(await examine(databases, settings)),
      confirmed: true,
      restored,
      refused,
      jobActions,
    };
  });
}

/** Raises PackageTooOldError, and ForeignSchemaError; returns how the ledger is at odds with this package otherwise. */
async function ledgerFault(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<LedgerError | undefined> {
  try {
    requireRecentPackage(await readStreamPlan(client, settings, stream));
    return undefined;
  } catch (error) {
    if (!(error instanceof LedgerError) || error instanceof ForeignSchemaError) throw error;
    return error;
  }
}

/** Raises the fault of a ledger unless what is at fault are its own tables, which can be restored. */
function requireMendable(
  faults: readonly (LedgerError | undefined)[],
  databases: readonly ObjectReport[],
): void {
  for (const [index, fault] of faults.entries()) {
    const report = databases[index];
    const isDamaged =
      report !== undefined &&
      restorableOf(report).some(({ identity }) => /\.(?:ledger|migrations)\b/.test(identity));
    if (fault !== undefined && !isDamaged) throw fault;
  }
}

/** What up writes into the row of the deployment beside what the migrations do. */
async function followSettings(
  { work, cron }: Databases,
  settings: Settings,
  stream: StreamName,
): Promise<void> {
  if (stream !== 'work') return;
  await applyFragmentRole(work, settings);
  await work.query(`SELECT ${ownName(settings, 'record_cron_side')}($1, $2, $3)`, [
    settings.transport,
    await readPgCronVersion(cron),
    settings.cron.database,
  ]);
}

const NOTHING = { restored: [], refused: [], jobActions: [] };

/** Whether --fix would change something. */
export function isMendable({ databases, jobs }: VerifyReport): boolean {
  return databases.some(hasRestorable) || jobs.some(isOurs);
}

export function restorableOf({ differences }: ObjectReport): NamedDifference[] {
  return differences.filter(({ restorable }) => restorable);
}

function hasRestorable(report: ObjectReport): boolean {
  return restorableOf(report).length > 0 || report.notCompared.length > 0;
}

export function isOurs({ problem }: Drift): boolean {
  return problem !== 'foreign';
}

async function mendJobs(
  databases: Databases,
  settings: Settings,
): Promise<readonly AppliedAction[]> {
  const { jobs } = await examineJobs(databases, settings);
  if (!jobs.some(isOurs)) return [];
  await awaitUnwantedRuns(databases.work, settings, DRAIN_SECONDS);
  return (await applyJobs(databases, settings)).actions;
}

async function examine(databases: Databases, settings: Settings): Promise<VerifyReport> {
  return concluded(
    await whereabouts(databases.work, settings),
    [
      ...(await ledgerProblems(databases.work, settings, 'work')),
      ...(await ledgerProblems(databases.cron, settings, 'cron')),
      ...(await placeProblems(databases.work, settings)),
      ...(await lostProblems(databases.work, settings)),
    ],
    [
      await examineStream(databases.work, settings, 'work'),
      await examineStream(databases.cron, settings, 'cron'),
    ],
    await examineJobs(databases, settings),
    await link(databases.work, settings),
  );
}

async function lostProblems(work: ClientBase, settings: Settings): Promise<string[]> {
  const lost = await findLostDeployment(work, settings);
  return lost === undefined ? [] : [`work stream: ${lost.what}.`, `Remedy: ${lost.remedy}`];
}

async function placeProblems(work: ClientBase, settings: Settings): Promise<string[]> {
  const { move, elsewhere } = await readCronStanding(work, settings);
  if (move !== undefined) {
    return [`${cronMoving(settings, move)} ${cronMovingRemedy(settings, move)}`];
  }
  return elsewhere === undefined ? [] : [cronElsewhere(settings, elsewhere)];
}

async function ledgerProblems(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<string[]> {
  try {
    const { fault } = await readStreamState(client, settings, stream);
    return fault === undefined ? [] : saidOf(fault, stream);
  } catch (error) {
    // That it cannot be read is no better. But what is not ours is not looked at.
    if (!(error instanceof LedgerError) || error instanceof ForeignSchemaError) throw error;
    return saidOf(error, stream);
  }
}

function saidOf({ problems, remedy }: LedgerError, stream: StreamName): string[] {
  return [...problems, ...(remedy === undefined ? [] : [`Remedy: ${remedy}`])].map(
    (text) => `${stream} stream: ${text}`,
  );
}

function examineStream(
  client: ClientBase,
  settings: Settings,
  stream: StreamName,
): Promise<ObjectReport> {
  const scope = objectScope(settings, stream);
  return unlessRefused(
    () =>
      inReadOnlyTransaction(client, async () => {
        const report = await reportObjects(client, settings, scope);
        if (stream === 'cron') return report;
        const named = await superuserDefiners(client, settings);
        return { ...report, differences: [...report.differences, ...named] };
      }),
    (said) =>
      unknownReport(scope, {
        unknown: `The objects in database "${scope.database}": ${said}`,
        isExpected: false,
      }),
  );
}

async function superuserDefiners(work: ClientBase, settings: Settings): Promise<NamedDifference[]> {
  const found = await definersOfSuperusers(work, settings);
  return found.map(({ kind, signature, owner, meaning, lines: [alter, drop] }) => ({
    kind,
    identity: signature,
    problem: 'unexpected',
    meaning,
    remedy: `Find out what it does and who made it; then, as role "${shown(owner)}": ${alter} Or, where nobody needs it: ${drop}`,
    restorable: false,
  }));
}

interface Jobs {
  readonly jobs: readonly Drift[];
  readonly notStarted?: string;
  readonly unknown: readonly string[];
}

/** Functions of ours compute both sides: where one is missing, or may not be called, the jobs are unknown. */
async function examineJobs(databases: Databases, settings: Settings): Promise<Jobs> {
  const { work, cron } = databases;
  const undeployed = await undeployedSchema(databases, settings);
  if (undeployed !== undefined) {
    return { jobs: [], unknown: [`pg_cron's jobs: ${undeployed}`] };
  }
  return unlessRefused<Jobs>(
    async () => {
      const desired = await inReadOnlyTransaction(work, () => desiredJobs(work, settings));
      const jobs = await inReadOnlyTransaction(cron, () => readDrift(cron, settings, desired));
      const { notStarted, unknown } =
        desired.length > 0 ? await whyNoneStarts(databases, settings) : {};
      return {
        jobs,
        ...(notStarted !== undefined && { notStarted }),
        unknown: unknown === undefined ? [] : [unknown],
      };
    },
    (said) => ({ jobs: [], unknown: [`pg_cron's jobs: ${said}`] }),
    isPgCronMissing,
  );
}

async function undeployedSchema(
  databases: Databases,
  settings: Settings,
): Promise<string | undefined> {
  const sites = streamSites(settings);
  for (const stream of ['work', 'cron'] as const) {
    const { schema, connection } = sites[stream];
    if (await hasSchema(databases[stream], schema)) continue;
    return `nothing is deployed in schema "${schema}" of database "${connection.database}"`;
  }
  return undefined;
}

function link(work: ClientBase, settings: Settings): Promise<LinkDrift | 'unknown' | undefined> {
  return unlessRefused<LinkDrift | 'unknown' | undefined>(
    () => inReadOnlyTransaction(work, () => readLinkDrift(work, settings)),
    () => 'unknown',
  );
}

function whereabouts(work: ClientBase, settings: Settings): Promise<Whereabouts> {
  return inReadOnlyTransaction(work, () => readWhereabouts(work, settings));
}

function concluded(
  whereabouts: Whereabouts,
  ledger: readonly string[],
  databases: readonly ObjectReport[],
  { jobs, notStarted, unknown: unknownJobs }: Jobs,
  link: LinkDrift | 'unknown' | undefined,
): VerifyReport {
  const unknown = [
    ...databases.flatMap((one) => (one.unknown === undefined ? [] : [one.unknown])),
    ...databases.flatMap(({ database, notCompared }) =>
      notCompared.map(
        ({ kind, identity }) =>
          `${kind} ${identity} in database "${database}": this version of PostgreSQL prints its definition differently`,
      ),
    ),
    ...unknownJobs,
    ...(whereabouts.kind === 'unknown' ? [`${whereabouts.reason}. ${whereabouts.remedy}`] : []),
    ...(link === 'unknown' ? [LINK_UNKNOWN] : []),
  ];
  const drift = typeof link === 'object' ? link : undefined;
  const differs =
    isMoved(whereabouts) ||
    ledger.length > 0 ||
    jobs.length > 0 ||
    notStarted !== undefined ||
    drift !== undefined ||
    databases.some((one) => one.differences.length > 0);
  return {
    whereabouts,
    ledger,
    databases,
    jobs,
    ...(notStarted !== undefined && { notStarted }),
    ...(drift && { link: drift }),
    unknown,
    clean: !differs && unknown.length === 0,
  };
}
