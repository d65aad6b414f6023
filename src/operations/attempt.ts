import { ConnectionError } from '../database/connection-error.js';
import { isBeingEnded } from '../database/endable-work.js';
import { PcacheError } from '../errors/pcache-error.js';
import { type Findings, StoppedError } from './stopped-error.js';

/** Says, before anything is changed, how to find out later what was. */
export type Begin = (look: () => Promise<Findings>) => void;

const NOTHING: Findings = {
  said: ['It had not begun: no migration and no job was changed.'],
  next: 'run the command again.',
  isUntouched: true,
};

/**
 * Runs a command that changes several things, one after the other. When it fails, it looks what is done, since a
 * transaction whose end was not heard of may have come through, and raises StoppedError, which says it. Errors that
 * are ours and say enough stay as they are: all where nothing was changed, and those that `tells` accepts.
 */
export async function attempt<T>(
  tells: (error: Error) => boolean,
  use: (begin: Begin) => Promise<T>,
): Promise<T> {
  let look = async () => NOTHING;
  try {
    return await use((how) => {
      look = how;
    });
  } catch (error) {
    // Whoever ends a command does not wait for more.
    if (!(error instanceof Error) || tells(error) || isBeingEnded()) throw error;
    const findings = await look();
    if (findings.isUntouched && isOurs(error)) throw error;
    throw new StoppedError(error, findings);
  }
}

/** A connection that was lost may have done something unheard. */
function isOurs(error: Error): boolean {
  return error instanceof PcacheError && !(error instanceof ConnectionError && error.wasLost);
}
