import { ConnectionError } from '../database/connection-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { remedyThen } from '../database/remedy-of.js';
import { ofOneStep } from '../errors/of-one-step.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { Standing } from './what-stands.js';

/** What a command that stopped has left, as it was found. */
export interface Findings {
  /** In sentences, each a line. */
  readonly said: readonly string[];
  /** What to do then, once the cause is mended. */
  readonly next: string;
  /** Of each stream that it was to change. */
  readonly streams?: readonly Standing[];
  /** Whether none of them was changed, for certain. */
  readonly isUntouched: boolean;
}

/** A command stopped on the way, and this is what it has left in each database. */
export class StoppedError extends PcacheError {
  override readonly name = 'StoppedError';
  readonly streams: readonly Standing[];

  constructor(cause: Error, { said, next, streams = [] }: Findings) {
    super([ofOneStep(describeRefusal(cause)), ...said].join('\n'), {
      remedy: remedy(cause, next),
      cause,
    });
    this.streams = streams;
  }
}

function remedy(cause: Error, next: string): string {
  return cause instanceof ConnectionError
    ? `When the server can be reached (its log says why a connection ended), ${next}`
    : remedyThen(cause, next);
}
