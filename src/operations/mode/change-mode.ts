import type { ClientBase } from 'pg';
import { withAdvisoryLock } from '../../database/advisory-lock.js';
import { withClient } from '../../database/connect.js';
import { isBeingEnded } from '../../database/endable-work.js';
import { requireInPlace } from '../../deployment/require-in-place.js';
import type { LockWait } from '../../deployment/with-databases.js';
import {
  type AdministratorStatements,
  administratorStatements,
  applyRemediesAsAdministrator,
  isForAdministrator,
} from '../../doctor/apply-remedies.js';
import type { DoctorReport } from '../../doctor/check-result.js';
import type { AppliedAction } from '../../jobs/apply-jobs.js';
import type { RoomReport } from '../../jobs/room.js';
import { type Hold, readHolds } from '../../processor/holds.js';
import { cronReleases } from '../../releases/cron-releases.js';
import { readReleases } from '../../releases/read-releases.js';
import type { Mode, Settings, Transport } from '../../settings/settings.js';
import { down } from '../down.js';
import { type Drain, RunsStillActiveError } from '../drain-runs.js';
import { PreflightError } from '../preflight.js';
import { up } from '../up.js';
import type { MigrationProgress, UpReport } from '../up-report.js';
import { ModeMismatchError, ModeUnfinishedError, ServedDatabaseUnknownError } from './errors.js';
import { carryOver, type JobsOfOthers, jobsLeftBehind } from './jobs-of-others.js';
import { recordLeft } from './old-place.js';
import { examineNewPlace, requireReplaceable, requireWorkStream } from './prepare.js';
import { type Stop, stopForRestart } from './stop.js';
import { type Old, type Survey, surveyMove } from './survey.js';
import { type Leftover, tidyOldPlace } from './tidy-old-place.js';
import { beginMove, endMove } from './under-way.js';
import { type Verification, verifyPlace } from './verification.js';

export interface ModeOptions extends LockWait, Drain {
  /** What the settings are thought to say. */
  readonly mode: Mode;
  /** Asked before anything is changed when the cron stream leaves a database; false ends the command. */
  readonly confirm: (preview: MovePreview) => Promise<boolean>;
  /** Where the release comes from, such as a commit or the address of a job. */
  readonly label?: string | undefined;
  readonly log: (message: string) => void;
  readonly onProgress?: ((progress: MigrationProgress) => void) | undefined;
}

export interface MovePreview {
  readonly from: string;
  readonly to: string;
  readonly needsRestart: boolean;
  /** Those that a restart stops or starts, or has stopped. */
  readonly others: readonly JobsOfOthers[];
  /** Why nothing can be removed from there; left out where it can. */
  readonly unreachable?: string;
}

export interface ModeReport {
  readonly mode: Mode;
  readonly transport: Transport;
  /** The database that pg_cron is, or shall be, in. */
  readonly database: string;
  readonly confirmed: boolean;
  /** Whether nothing is left to be done. */
  readonly finished: boolean;
  /** What this run has done, in words. */
  readonly done: readonly string[];
  /** What has to be done by hand before the command is given again; null when nothing has. */
  readonly stop: Stop | null;
  /** The jobs of others that a restart stops or starts; once it has, those that no longer run. */
  readonly others: readonly JobsOfOthers[];
  /** The lines that have the latter run again, for an administrator; null where none are missing. */
  readonly again: AdministratorStatements | null;
  /** What could not be removed from where the cron stream was. */
  readonly left: readonly Leftover[];
  /** What was done to pg_cron's jobs in the new place. */
  readonly jobs: readonly AppliedAction[];
  /** Whether they can all run at once there; null where none were made. */
  readonly room: RoomReport | null;
  /** Who keeps processing from going on. */
  readonly holds: readonly Hold[];
  /** Once it is finished. */
  readonly verification: Verification | null;
}

/**
 * Takes the deployment to the database and the transport that the settings name, from wherever it is: as far as it can
 * go, and further when it is called again, up to the end. Processing is held from the first change to the last.
 * Raises before anything is changed: ModeMismatchError, PreflightError, NotDeployedError, MovedDatabaseError,
 * ServedDatabaseUnknownError; and ModeUnfinishedError when a step failed.
 */
export async function changeMode(settings: Settings, options: ModeOptions): Promise<ModeReport> {
  if (settings.mode !== options.mode) throw new ModeMismatchError(settings, options.mode);
  const progress: Progress = { done: [], isBegun: false };
  try {
    return await withClient(settings.work, (work) =>
      withAdvisoryLock(work, `pcache-migrate mode ${settings.schema}`, options, () =>
        proceed({ work, settings, options, progress }),
      ),
    );
  } catch (error) {
    // Whoever ends a command does not wait for more.
    if (!progress.isBegun || isBeingEnded()) throw error;
    throw new ModeUnfinishedError(settings, progress.done, await isHeldNow(settings), error);
  }
}

/** How far this run came. */
interface Progress {
  /** In words. */
  readonly done: string[];
  /** Whether all was looked at, so that something may have been changed. */
  isBegun: boolean;
}

/** Over a connection of its own, since that of the command may be what failed. */
async function isHeldNow(settings: Settings): Promise<boolean | undefined> {
  try {
    return await withClient(settings.work, async (work) =>
      (await readHolds(work, settings)).some(({ holder }) => holder === 'mode'),
    );
  } catch {
    // The error that is about to be raised matters more, and says that this is unknown.
    return undefined;
  }
}

interface Run {
  readonly work: ClientBase;
  readonly settings: Settings;
  readonly options: ModeOptions;
  readonly progress: Progress;
}

async function proceed(run: Run): Promise<ModeReport> {
  const { work, settings, options } = run;
  await requireWorkStream(work, settings);
  await requireInPlace(work, settings);
  const survey = await surveyMove(work, settings);
  const { old, served } = survey;
  if (served === undefined) throw new ServedDatabaseUnknownError(settings);
  const needsRestart = served !== settings.cron.database;
  if (old?.mustLeave) {
    const checks = await examineNewPlace(settings);
    await requireReplaceable(work, old, settings.mode);
    if (!(await options.confirm(preview(settings, survey, old, needsRestart)))) {
      return report(run, survey, { confirmed: false });
    }
    run.progress.isBegun = true;
    await leave(run, old, checks);
  } else {
    run.progress.isBegun = true;
    await turnRound(run, survey);
  }
  if (!needsRestart) return arrive(run, survey);
  const { dataDirectory, others } = survey;
  const where = { from: served, to: settings.cron.database, dataDirectory };
  return report(run, survey, { stop: await stopForRestart(settings, where, others) });
}

/** What is under way may go somewhere else by now. */
async function turnRound({ work, settings }: Run, { move, place }: Survey): Promise<void> {
  const { database } = settings.cron;
  if (move === undefined || move.to === database) return;
  // Back to where it was last, it comes from where it was on its way to.
  const from = place?.database === database ? move.to : place?.database;
  await beginMove(work, settings, { from, to: database });
}

function preview(
  { cron }: Settings,
  { others }: Survey,
  { settings, place }: Old,
  needsRestart: boolean,
): MovePreview {
  return {
    from: settings.cron.database,
    to: cron.database,
    needsRestart,
    others,
    ...(place.state === 'unreachable' && { unreachable: place.reason }),
  };
}

/** Stops processing, and takes the jobs and the cron stream back where they are. */
async function leave(
  { work, settings, options, progress: { done } }: Run,
  old: Old,
  checks: DoctorReport,
) {
  const from = old.settings.cron.database;
  await beginMove(work, settings, { from, to: settings.cron.database });
  done.push('processing is held');
  const lines = await applyRemediesAsAdministrator(settings, checks);
  done.push(...lines.map((line) => `ran as the administrator: ${line}`));
  if (old.place.state === 'deployed') {
    await releasedIfBusy(work, settings, () =>
      down(old.settings, {
        ...options,
        streams: ['cron'],
        extent: { all: true },
        ofMode: true,
        confirm: async () => true,
      }),
    );
    done.push(`the cron stream and its jobs are gone from database "${from}"`);
    return;
  }
  await recordLeft(work, settings);
  done.push(
    old.place.state === 'unreachable'
      ? `nothing was taken back in database "${from}", which cannot be reached`
      : `nothing was left to take back in database "${from}"${old.place.state === 'gone' ? ', which is gone' : ''}`,
  );
}

/** While runs cannot be ended nothing has been taken back, so nothing needs to be held. */
async function releasedIfBusy<T>(
  work: ClientBase,
  settings: Settings,
  use: () => Promise<T>,
): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (error instanceof RunsStillActiveError) await endMove(work, settings);
    throw error;
  }
}

/** Deploys where the server serves by now, and lets processing go on. */
async function arrive(run: Run, survey: Survey): Promise<ModeReport> {
  const {
    work,
    settings,
    progress: { done },
  } = run;
  const { place, old, move } = survey;
  const tidied = old && (await tidyOldPlace(work, old.settings));
  if (tidied?.isExtensionDropped) {
    done.push(`the extension pg_cron is gone from database "${old?.settings.cron.database}"`);
  }
  const left = tidied?.left ?? [];
  const isThere = old === undefined && place?.isDeployed && place.transport === settings.transport;
  const deployed = isThere && move === undefined ? undefined : await deploy(run);
  if (deployed !== undefined && 'before' in deployed) {
    return report(run, survey, { stop: deployed, left });
  }
  if (await endMove(work, settings)) done.push('processing goes on');
  // They may have been made again meanwhile, and it is only now that they can be.
  const others = await jobsLeftBehind(work, settings, survey.place);
  return report(run, survey, {
    others,
    again: administratorLines(settings, carryOver(others)),
    left,
    jobs: deployed?.jobs ?? [],
    room: deployed?.room ?? null,
    verification: await verifyPlace(settings),
  });
}

function administratorLines(
  { cron }: Settings,
  lines: readonly string[],
): AdministratorStatements | null {
  return lines.length === 0 ? null : { database: cron.database, lines };
}

/** Or what an administrator has to do first. */
async function deploy({
  work,
  settings,
  options,
  progress: { done },
}: Run): Promise<UpReport | Stop> {
  try {
    // Where it comes back, it is of the releases that it was of: down undoes the last one, as before.
    const releases = cronReleases(await readReleases(work, settings));
    const deployed = await up(settings, {
      ...options,
      streams: ['work', 'cron'],
      ofMode: { cronReleases: releases },
    });
    done.push(...deployed.administrator.map((line) => `ran as the administrator: ${line}`));
    done.push(`the cron stream and its jobs are in database "${settings.cron.database}"`);
    if (deployed.linkRenewed) done.push('the link to it works');
    return deployed;
  } catch (error) {
    if (!(error instanceof PreflightError) || !isForAdministrator(error.report)) throw error;
    return {
      before: administratorStatements(error.report),
      restart: null,
      after: [],
      carriesOverLater: false,
    };
  }
}

async function report(
  { work, settings, progress: { done } }: Run,
  { others }: Survey,
  end: Partial<ModeReport>,
): Promise<ModeReport> {
  return {
    mode: settings.mode,
    transport: settings.transport,
    database: settings.cron.database,
    confirmed: true,
    finished: end.verification !== undefined,
    done,
    stop: null,
    others,
    again: null,
    left: [],
    jobs: [],
    room: null,
    holds: await readHolds(work, settings),
    verification: null,
    ...end,
  };
}
