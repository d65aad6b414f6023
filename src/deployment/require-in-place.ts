import type { ClientBase } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { ADOPT } from './adopt-remedy.js';
import { describeWhereabouts } from './describe-whereabouts.js';
import { isMoved, type Moved, readWhereabouts, type Whereabouts } from './whereabouts.js';

/** The connected database is not the one that was deployed, so its jobs may be those of another. */
export class MovedDatabaseError extends PcacheError {
  override readonly name = 'MovedDatabaseError';
  readonly found: Moved;

  constructor(found: Moved, settings: Pick<Settings, 'work' | 'schema'>) {
    super(`${shown(describeWhereabouts(found, settings))} Nothing was changed.`, { remedy: ADOPT });
    this.found = found;
  }
}

/** Whether it is the one that was deployed cannot be told, so its jobs may be those of another, too. */
export class UnknownDatabaseError extends PcacheError {
  override readonly name = 'UnknownDatabaseError';

  constructor(
    found: Extract<Whereabouts, { kind: 'unknown' }>,
    settings: Pick<Settings, 'work' | 'schema'>,
  ) {
    super(`${shown(describeWhereabouts(found, settings))} Nothing was changed.`, {
      remedy: found.remedy,
    });
  }
}

/**
 * Raises MovedDatabaseError where the work database was renamed, copied, restored or moved since it was deployed,
 * UnknownDatabaseError where that cannot be told.
 */
export async function requireInPlace(work: ClientBase, settings: Settings): Promise<void> {
  const found = await readWhereabouts(work, settings);
  if (found.kind === 'unknown') throw new UnknownDatabaseError(found, settings);
  if (isMoved(found)) throw new MovedDatabaseError(found, settings);
}

/** Raises MovedDatabaseError only, for who mends what keeps that from being told. */
export async function requireNotMoved(work: ClientBase, settings: Settings): Promise<void> {
  const found = await readWhereabouts(work, settings);
  if (isMoved(found)) throw new MovedDatabaseError(found, settings);
}
