import { hostname } from 'node:os';
import type { ClientBase } from 'pg';
import { hasRelation, hasRoutine } from '../database/catalogue.js';
import { withClient } from '../database/connect.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { isStandby } from '../database/is-standby.js';
import { remedyThen } from '../database/remedy-of.js';
import { findLostDeployment, type LostDeployment } from '../deployment/lost-deployment.js';
import { ownName } from '../deployment/own-names.js';
import { LostOwnersError, requireOwners } from '../deployment/restored-owners.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { cancelRuns, type UncancelledRun } from '../processor/cancel-runs.js';
import { type Hold, readHolds } from '../processor/holds.js';
import { type ActiveFragment, readActive } from '../processor/read-active.js';
import { type Run, readRuns } from '../processor/runs.js';
import type { Settings } from '../settings/settings.js';
import { type AlienWork, readAlienWork } from './alien-work.js';
import { awaitNone } from './drain-runs.js';

export interface PauseOptions {
  readonly reason: string;
  /** Whether to cancel what runs, instead of letting it end. */
  readonly now: boolean;
  /** How long to watch what runs end, in seconds. */
  readonly waitSeconds: number;
  readonly onWait?: ((runs: readonly Run[]) => void) | undefined;
}

export interface PauseReport {
  /** Whether it was paused before this command. */
  readonly already: boolean;
  readonly holds: readonly Hold[];
  /** What `now` could not cancel, each with the reason. */
  readonly uncancelled: readonly UncancelledRun[];
  /** Runs of this deployment that have not ended yet; they begin nothing more. */
  readonly stillAtWork: readonly Run[];
  /** The fragments at which they are. */
  readonly active: readonly ActiveFragment[];
  /** What else works on this database, which a pause does not reach. */
  readonly alien: AlienWork;
  /** What could not be read, each with the reason. */
  readonly unknown: readonly string[];
}

type Routine = 'pause_1' | 'resume_1';

/** Nothing was paused, or resumed. */
export class PauseError extends PcacheError {
  override readonly name = 'PauseError';

  constructor(settings: Settings, what: 'pause' | 'resume', cause: unknown) {
    const call = what === 'pause' ? "pause_1('why, and who you are')" : 'resume_1()';
    super(
      `Processing of database "${settings.work.database}" was not ${what}d: ${describeDatabaseError(cause)}`,
      {
        // Where there is no such routine, psql finds none either.
        remedy:
          cause instanceof NothingToPauseError || cause instanceof LostOwnersError
            ? cause.remedy
            : remedyThen(
                cause,
                `type it in psql in that database, on the primary, as role "${settings.work.user}" or an administrator: SELECT ${ownName(settings, call.slice(0, call.indexOf('(')))}${call.slice(call.indexOf('('))};`,
              ),
        cause,
      },
    );
  }
}

/**
 * Stops all processing of the work database, whatever the state of the pg_cron database and the version of the package
 * that deployed it. What it could not stop is in the report. Raises PauseError when nothing was paused.
 */
export async function pause(settings: Settings, options: PauseOptions): Promise<PauseReport> {
  try {
    return await withClient(settings.work, async (work) => {
      await requireRoutine(work, settings, 'pause_1');
      const placed = await writing(work, () =>
        work.query<{ placed: boolean }>(
          `SELECT ${ownName(settings, 'pause_1')}($1, $2) AS placed`,
          [options.reason, hostname()],
        ),
      );
      return reportOf(work, settings, options, placed.rows[0]?.placed !== true);
    });
  } catch (error) {
    throw new PauseError(settings, 'pause', error);
  }
}

async function reportOf(
  work: ClientBase,
  settings: Settings,
  { now, waitSeconds, onWait }: PauseOptions,
  already: boolean,
): Promise<PauseReport> {
  const unknown: string[] = [];
  const known = async <T>(what: string, read: () => Promise<readonly T[]>) => {
    try {
      return await read();
    } catch (error) {
      // Whatever it is: processing is paused, and the rest is still to be said.
      unknown.push(`${what}: ${describeRefusal(error)}`);
      return [];
    }
  };
  const runs = async () => [...(await readRuns(work, settings))];
  const uncancelled = now
    ? await known('what could be cancelled', async () => cancelRuns(work, settings, await runs()))
    : [];
  const stillAtWork = await known('what is still at work', () =>
    awaitNone(runs, waitSeconds, onWait),
  );
  return {
    already,
    holds: await known('what holds processing', () => readHolds(work, settings)),
    uncancelled: uncancelled.filter(({ run }) => stillAtWork.some(({ pid }) => pid === run.pid)),
    stillAtWork,
    active:
      stillAtWork.length === 0
        ? []
        : await known('the fragments at work', () => readActive(work, settings)),
    alien: await readAlienWork(work, settings, unknown),
    unknown,
  };
}

export interface ResumeReport {
  /** Whether it was paused. */
  readonly resumed: boolean;
  /** What still holds processing. */
  readonly holds: readonly Hold[];
}

/** Ends a pause. What was enabled before is processed again. Raises PauseError when it could not. */
export async function resume(settings: Settings): Promise<ResumeReport> {
  try {
    return await withClient(settings.work, async (work) => {
      await requireRoutine(work, settings, 'resume_1');
      const { rows } = await writing(work, () =>
        work.query<{ resumed: boolean }>(`SELECT ${ownName(settings, 'resume_1')}() AS resumed`),
      );
      return { resumed: rows[0]?.resumed === true, holds: await readHolds(work, settings) };
    });
  } catch (error) {
    throw new PauseError(settings, 'resume', error);
  }
}

/** There is nothing of ours that could be paused. */
export class NothingToPauseError extends PcacheError {
  override readonly name = 'NothingToPauseError';

  constructor(
    { schema, work }: Settings,
    routine: Routine,
    isDeployed: boolean,
    lost: LostDeployment | undefined,
  ) {
    super(
      isDeployed
        ? `There is no routine ${routine} in schema "${schema}" of database "${work.database}".`
        : `There is no deployment in schema "${schema}" of database "${work.database}"${lost === undefined ? '' : `: ${shown(lost.what)}`}.`,
      {
        remedy: isDeployed
          ? 'If it was dropped there by hand: pcache-migrate verify --fix.'
          : (lost?.remedy ??
            'Check DB_NAME and PCACHE_SCHEMA: pcache-migrate config. What down has kept, pcache-migrate status shows; what else may be at work there, pcache-migrate doctor.'),
      },
    );
  }
}

async function requireRoutine(
  work: ClientBase,
  settings: Settings,
  routine: Routine,
): Promise<void> {
  await requireOwners(work, settings);
  if (await hasRoutine(work, settings.schema, routine)) return;
  throw new NothingToPauseError(
    settings,
    routine,
    await hasRelation(work, settings.schema, 'deployment'),
    await findLostDeployment(work, settings),
  );
}

/** A transaction that may write, also where a role's or database's default forbids that. */
async function writing<T>(work: ClientBase, use: () => Promise<T>): Promise<T> {
  await work.query((await isStandby(work)) ? 'BEGIN' : 'BEGIN READ WRITE');
  const result = await use();
  await work.query('COMMIT');
  return result;
}
