import { withClient } from '../database/connect.js';
import { readReleases } from '../releases/read-releases.js';
import type { Settings } from '../settings/settings.js';
import type { RollbackExtent } from './rollback-extent.js';
import type { Findings } from './stopped-error.js';
import {
  isDone,
  isUntouched,
  type Standing,
  standingText,
  type Undertaking,
  whatStands,
} from './what-stands.js';

/** What a rollback is about. */
export interface RollbackAim {
  readonly extent: RollbackExtent;
  /** The releases of which it leaves nothing applied. */
  readonly undoing: readonly number[];
  /** The last release that stays; 0: none. */
  readonly staying: number;
}

/** What a rollback has left that stopped on the way. */
export async function downFindings(
  settings: Settings,
  aim: RollbackAim,
  undertaken: readonly Undertaking[],
): Promise<Findings> {
  const streams = await whatStands(settings, undertaken);
  const said = streams.map(standingText);
  const isOver =
    'lastRelease' in aim.extent &&
    streams.every(isDone) &&
    (await areUndone(settings, aim.undoing));
  return {
    said: isOver
      ? [...said, `Release ${aim.undoing.join(', ')} is recorded as undone: nothing is left to do.`]
      : said,
    next: isOver
      ? 'do not run the command again: it would undo the release before.'
      : nextCommand(aim, streams),
    streams,
    isUntouched: isUntouched(streams),
  };
}

async function areUndone(settings: Settings, numbers: readonly number[]): Promise<boolean> {
  try {
    const releases = await withClient(settings.work, (work) => readReleases(work, settings));
    const undone = releases.filter(({ undoneAt }) => undoneAt !== undefined);
    return numbers.every((wanted) => undone.some(({ number }) => number === wanted));
  } catch {
    // Then it is not known, and running the command again finds out.
    return false;
  }
}

/** What goes on from there, and does nothing more where the rollback had come to its end unheard. */
function nextCommand({ extent, staying }: RollbackAim, streams: readonly Standing[]): string {
  if ('lastRelease' in extent) {
    return `run: pcache-migrate down ${staying > 0 ? `--to ${staying}` : '--all'}`;
  }
  if (!('count' in extent)) return 'run the same command again; it goes on from there.';
  // It counts from what is applied by then.
  if (streams.some(({ done }) => done === undefined)) {
    return 'ask pcache-migrate status what is applied, and roll back what is left.';
  }
  const left = extent.count - streams.reduce((sum, { done }) => sum + (done?.length ?? 0), 0);
  return left > 0
    ? `run it for the rest: pcache-migrate down --count ${left}`
    : 'ask pcache-migrate status: nothing is left to roll back.';
}
