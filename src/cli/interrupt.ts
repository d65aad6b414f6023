import { describeDatabaseError } from '../database/describe-database-error.js';
import { endableWork } from '../database/endable-work.js';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';

/** The user or a supervisor ended the command. */
export class InterruptedError extends PcacheError {
  override readonly name = 'InterruptedError';

  /** `cause`: why the server could not be told to end what was under way. */
  constructor(signal: string, cause?: Error) {
    super(
      `Interrupted by ${signal}. ${
        cause === undefined
          ? 'What was under way is rolled back, unless it was just being committed.'
          : `The server could not be told (${describeDatabaseError(cause)}): it goes on to the end of the statement under way, and then rolls back.`
      }`,
      {
        remedy: 'Ask pcache-migrate status what is done; run the command again to go on.',
        exitCode: EXIT_CODES.interrupted,
        cause,
      },
    );
  }
}

// Less than an orchestrator waits before it kills.
const ENDING_MS = 10_000;

/**
 * Ends with `work`, or at a signal with an InterruptedError, once the server has ended what was under way. Work that
 * has said how to stop it is stopped and ends by itself.
 */
export async function untilInterrupted<T>(
  signal: AbortSignal,
  stops: readonly (() => Promise<void>)[],
  work: () => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new InterruptedError(signal.reason);
  const { ended, end } = endableWork(work);
  if (!(await settlesBefore(signal, ended)) && !(await areStopped(stops))) {
    throw new InterruptedError(signal.reason, await end(ENDING_MS));
  }
  return ended;
}

function settlesBefore(signal: AbortSignal, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(false), { once: true });
    const settled = () => resolve(true);
    work.then(settled, settled);
  });
}

async function areStopped(stops: readonly (() => Promise<void>)[]): Promise<boolean> {
  if (stops.length === 0) return false;
  const stopped = Promise.all(stops.map((stop) => stop()));
  return stopped.then(
    () => true,
    () => false,
  );
}
