import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { type Droppable, dropFunctions } from '../adoption/drop-foreign-code.js';
import { findForeignSetup, findForeignWorkSide } from '../adoption/find-foreign-setup.js';
import { foreignProcessors } from '../adoption/foreign-processors.js';
import { type ForeignJob, type ForeignSetup, isThere, isUsed } from '../adoption/foreign-setup.js';
import { type AdoptionProposal, proposeAdoption } from '../adoption/propose-adoption.js';
import {
  removeConfigCopy,
  runsAtTables,
  stillRunning,
  unscheduleForeignJobs,
} from '../adoption/remove-cron-side.js';
import { SetupChangedError } from '../adoption/setup-changed-error.js';
import { takingOver } from '../adoption/take-over.js';
import type { TakenTable } from '../adoption/taken-table.js';
import { withClient } from '../database/connect.js';
import { ConnectionError } from '../database/connection-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { isBeingEnded } from '../database/endable-work.js';
import { inTransaction } from '../database/in-transaction.js';
import { remedyThen } from '../database/remedy-of.js';
import { lockPolicy } from '../deployment/lock-policy.js';
import { clientName } from '../deployment/own-names.js';
import { type Databases, withDatabases } from '../deployment/with-databases.js';
import { RemedyError } from '../doctor/apply-remedies.js';
import { PcacheError } from '../errors/pcache-error.js';
import { scheduleLine } from '../jobs/other-jobs.js';
import { isLockFailure, lockingTransaction } from '../migrations/locking-transaction.js';
import type { StreamName } from '../migrations/streams.js';
import { asAdministrator, type Settings } from '../settings/settings.js';
import { preflight } from './preflight.js';
import { IN_THE_WAY, up } from './up.js';
import type { UpOptions, UpReport } from './up-report.js';

export interface AdoptForeignOptions
  extends Pick<UpOptions, 'waitSeconds' | 'onWait' | 'log' | 'onProgress' | 'label' | 'program'> {
  /** Asked before anything is changed; false ends the command. */
  readonly confirm: (proposal: AdoptionProposal) => Promise<boolean>;
  /** How long to wait for runs of the old jobs. */
  readonly drainSeconds: number;
  readonly onOldRuns?: ((pids: readonly number[]) => void) | undefined;
}

export interface AdoptForeignReport {
  readonly proposal: AdoptionProposal;
  readonly confirmed: boolean;
  /** Statements run as the administrator. */
  readonly administrator: readonly string[];
  readonly tables: readonly TakenTable[];
  /** Of the deployment that was made, or completed. */
  readonly up?: UpReport;
}

/** There is something that a person has to see to first; nothing was changed. */
export class NotAdoptableError extends PcacheError {
  override readonly name = 'NotAdoptableError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `The set-up cannot be adopted:\n${problems.map((problem) => `  ${problem.replaceAll('\n', '\n  ')}`).join('\n')}`,
      {
        remedy: 'Nothing was changed. See to that, then run pcache-migrate adopt again.',
      },
    );
    this.problems = problems;
  }
}

/** The old jobs are stopped, and the set-up is not adopted, or not wholly. */
export class AdoptionStoppedError extends PcacheError {
  override readonly name = 'AdoptionStoppedError';

  constructor(what: string, { jobs, areGone }: OldJobs, settings: Settings, cause?: unknown) {
    const standing = areGone
      ? ' The old jobs are unscheduled meanwhile, so nothing is processed.'
      : ' Whether the old jobs are unscheduled is unknown.';
    super(`${what}${jobs.length === 0 ? '' : standing}`, {
      remedy: [
        remedyThen(cause, 'run pcache-migrate adopt again; it goes on where it stopped.'),
        ...(jobs.length === 0
          ? []
          : [
              `To go back to the old set-up instead, as long as its tables are there, as an administrator in database "${settings.cron.database}":`,
              ...jobs.map((job) => `  ${wayBack(job, settings)}`),
            ]),
      ].join('\n'),
      cause,
    });
  }
}

/** Those that are gone, or may be. */
interface OldJobs {
  readonly jobs: readonly ForeignJob[];
  /** false where it is unknown. */
  readonly areGone: boolean;
}

const NO_JOBS: OldJobs = { jobs: [], areGone: true };

/** Which of them are unscheduled, over a new connection: the answer that said so may be lost. */
async function oldJobsGone(settings: Settings, jobs: readonly ForeignJob[]): Promise<OldJobs> {
  try {
    const { cron } = await look(settings);
    const there = new Set(cron.jobs.map(({ jobId }) => jobId));
    return { jobs: jobs.filter(({ jobId }) => !there.has(jobId)), areGone: true };
  } catch {
    return { jobs, areGone: false };
  }
}

/** With its role, since its command may be anybody's: an administrator who pastes the line is not to run it. */
function wayBack({ jobId, name, ...job }: ForeignJob, { work }: Settings): string {
  return scheduleLine({
    ...job,
    jobId: Number(jobId),
    jobName: name === '' ? undefined : name,
    database: work.database,
    isOfPackage: false,
  });
}

/** What would be done; undefined where there is nothing of the tool's. Changes nothing. */
export async function planForeignAdoption(
  settings: Settings,
): Promise<AdoptionProposal | undefined> {
  const setup = await look(settings);
  return isThere(setup) ? proposeAdoption(setup, settings) : undefined;
}

/**
 * Brings a set-up that PartitionCache's own tool made under this package's ledger. Stops its jobs and waits for them,
 * deploys both streams and takes the rows over in the transaction that makes the tables, then removes what is left in
 * the pg_cron database. Each step can be done again. Raises NotAdoptableError or PreflightError before anything of the
 * set-up is changed, and AdoptionStoppedError afterwards.
 */
export async function adoptForeign(
  settings: Settings,
  options: AdoptForeignOptions,
): Promise<AdoptForeignReport> {
  const shown = await look(settings);
  const proposal = proposeAdoption(shown, settings);
  if (proposal.problems.length > 0) throw new NotAdoptableError(proposal.problems);
  if (!(await options.confirm(proposal))) {
    return { proposal, confirmed: false, administrator: [], tables: [] };
  }
  const grants = await preflight(settings, BOTH, options, undefined, IN_THE_WAY);
  // Only now is everything sure to be visible.
  const setup = await look(settings);
  const { problems } = proposeAdoption(setup, settings);
  if (problems.length > 0) throw new NotAdoptableError(problems);
  requireShownJobs(shown, setup);
  // Its errors tell that nothing was changed; a lost connection does not.
  await orStopped(settings, setup, [SetupChangedError, RemedyError], () =>
    changeOwners(settings, setup, proposal.asAdministrator, options),
  );
  const { tables, report } = await orStopped(settings, setup, [AdoptionStoppedError], async () => {
    await stopJobs(settings, setup, options);
    await dropStray(settings, setup);
    const deployed = await deployOver(settings, setup, options);
    await removeCopy(settings, setup);
    return deployed;
  });
  return {
    proposal,
    confirmed: true,
    administrator: [...grants, ...proposal.asAdministrator],
    tables,
    up: report,
  };
}

/** What fails raises AdoptionStoppedError, which says how it stands, unless it is one of these, which do. */
async function orStopped<T>(
  settings: Settings,
  { work, cron }: ForeignSetup,
  telling: readonly (abstract new (...args: never[]) => Error)[],
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    // Whoever ends a command does not wait for more.
    const isEnough = telling.some((one) => error instanceof one) || isBeingEnded();
    if (!(error instanceof Error) || isEnough) throw error;
    const jobs = work === undefined ? NO_JOBS : await oldJobsGone(settings, cron.jobs);
    throw new AdoptionStoppedError(describeDatabaseError(error), jobs, settings, error);
  }
}

/** Functions of the tool's that nothing uses. */
async function dropStray(settings: Settings, { stray }: ForeignSetup): Promise<void> {
  const mine = stray.filter((one) => !isUsed(one) && (one.isOurs || settings.admin !== undefined));
  await withClient(settings.work, (work) => inTransaction(work, () => dropFunctions(work, mine)));
}

/** Whoever may write the configuration can make a job of others look like one of the set-up's. */
function requireShownJobs(shown: ForeignSetup, { cron }: ForeignSetup): void {
  const ids = new Set(shown.cron.jobs.map(({ jobId }) => jobId));
  const others = cron.jobs.filter(({ jobId }) => !ids.has(jobId));
  if (others.length === 0) return;
  throw new SetupChangedError(
    others.map(({ jobId, name, role }) => `job ${jobId} "${name}" of role "${role}" was not shown`),
    'Nothing of the set-up was changed.',
  );
}

/** Looks again under the locks: an index that was not committed yet when we looked would run as the migrator. */
async function changeOwners(
  settings: Settings,
  setup: ForeignSetup,
  lines: readonly string[],
  { log }: AdoptForeignOptions,
): Promise<void> {
  const { admin, work } = settings;
  if (admin === undefined || lines.length === 0) return;
  const names = [...(setup.work?.tables ?? []), ...(setup.work?.caches ?? [])].map(({ name }) =>
    clientName(settings, name),
  );
  await withClient(asAdministrator(work, admin), (client) =>
    lockingTransaction(client, lockPolicy(log), async () => {
      for (const name of names)
        await client.query(`LOCK TABLE ONLY ${name} IN ACCESS EXCLUSIVE MODE`);
      const again = { ...setup, work: await findForeignWorkSide(client, settings) };
      const { problems } = proposeAdoption(again, settings);
      if (problems.length > 0) throw new SetupChangedError(problems, 'Nothing was changed.');
      for (const line of lines) {
        await client.query(line).catch((cause: Error) => {
          if (isLockFailure(cause)) throw cause;
          throw new RemedyError(line, work.database, admin.user, cause);
        });
      }
    }),
  );
}

const BOTH: readonly StreamName[] = ['work', 'cron'];

/** As the administrator, if there is one, who sees the jobs and tables of every role. */
function look(settings: Settings): Promise<ForeignSetup> {
  return withBothDatabases(settings, (databases) => findForeignSetup(databases, settings));
}

function withBothDatabases<T>(
  settings: Settings,
  use: (databases: Databases) => Promise<T>,
): Promise<T> {
  const { admin } = settings;
  if (admin === undefined) return withDatabases(settings, use);
  return withDatabases(
    {
      ...settings,
      work: asAdministrator(settings.work, admin),
      cron: asAdministrator(settings.cron, admin),
    },
    use,
  );
}

async function stopJobs(
  settings: Settings,
  { cron, work: side }: ForeignSetup,
  { drainSeconds, onOldRuns }: AdoptForeignOptions,
): Promise<void> {
  // What other roles' jobs call will be gone, so that they fail.
  const mine = cron.jobs.filter(
    ({ role }) => settings.admin !== undefined || role === settings.cron.user,
  );
  await withBothDatabases(settings, async (databases) => {
    const pids = await unscheduleForeignJobs(databases.cron, mine).catch((cause: Error) => {
      if (cause instanceof ConnectionError) throw cause;
      throw new AdoptionStoppedError(
        `The old jobs could not be unscheduled: ${describeDatabaseError(cause)}. Nothing was changed.`,
        NO_JOBS,
        settings,
        cause,
      );
    });
    const tables = [...(side?.tables ?? []), ...(side?.caches ?? [])].map(({ name }) => name);
    const hidden = await runsAtTables(databases.work, settings, tables);
    const all = [...new Set([...pids, ...hidden])];
    const running = await awaitEnd(databases.work, all, drainSeconds, onOldRuns);
    if (running.length === 0) return;
    const cancel = running.map((pid) => `SELECT pg_cancel_backend(${pid});`).join(' ');
    throw new AdoptionStoppedError(
      `${running.length} of the old jobs are still running after ${drainSeconds} s; nothing was taken over. To end them, in database "${settings.work.database}": ${cancel}`,
      { jobs: mine, areGone: true },
      settings,
    );
  });
}

/** Returns those that have not ended in time. */
async function awaitEnd(
  work: ClientBase,
  pids: readonly number[],
  waitSeconds: number,
  onWait: AdoptForeignOptions['onOldRuns'],
): Promise<number[]> {
  const deadline = performance.now() + waitSeconds * 1000;
  for (let looks = 1; ; looks += 1) {
    const running = await stillRunning(work, pids);
    if (running.length === 0 || performance.now() > deadline) return running;
    if (looks === 1) onWait?.(running);
    await sleep(200);
  }
}

async function deployOver(
  settings: Settings,
  setup: ForeignSetup,
  options: AdoptForeignOptions,
): Promise<{ readonly tables: readonly TakenTable[]; readonly report: UpReport }> {
  const { taken: config } = foreignProcessors(setup, settings);
  let tables: readonly TakenTable[] = [];
  const report = await up(settings, {
    ...options,
    streams: BOTH,
    takeOver: async (work, migrate) => {
      const { names, taken } = await takingOver(work, settings, config, migrate);
      tables = taken;
      return names;
    },
  });
  return { tables, report };
}

async function removeCopy(settings: Settings, { cron: { copy } }: ForeignSetup): Promise<void> {
  const { admin } = settings;
  if (copy === undefined || (!copy.isOurs && admin === undefined)) return;
  // What hangs on the cron role's own table shall run with no more than its rights.
  const asOwner = admin === undefined || copy.owner === settings.cron.user;
  const place = asOwner ? settings.cron : asAdministrator(settings.cron, admin);
  const functions = asOwner
    ? copy.functions.filter(({ owner }) => owner !== settings.cron.user)
    : [];
  try {
    // First, since the copy is how they are found; what its trigger calls can go only then.
    const left = await dropAsAdministrator(settings, functions);
    await withClient(place, (client) => removeConfigCopy(client, settings, copy));
    await dropAsAdministrator(settings, left);
  } catch (cause) {
    throw new AdoptionStoppedError(
      `The set-up is adopted, but the tool's configuration in database "${settings.cron.database}" could not be removed: ${describeDatabaseError(cause)}`,
      NO_JOBS,
      settings,
      cause,
    );
  }
}

/** Returns those that something uses; all where there is no administrator. */
async function dropAsAdministrator(
  { cron, admin }: Settings,
  functions: readonly Droppable[],
): Promise<readonly Droppable[]> {
  if (admin === undefined || functions.length === 0) return functions;
  return withClient(asAdministrator(cron, admin), (client) =>
    inTransaction(client, () => dropFunctions(client, functions)),
  );
}
