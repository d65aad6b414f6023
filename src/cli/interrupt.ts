import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
/** The user pressed Ctrl-C. */
export class InterruptedError extends PcacheError {
  override readonly name = 'InterruptedError';

  constructor() {
    super(
      'Interrupted. The server rolls back what was under way, unless it was just being committed.',
      {
        remedy: 'Ask pcache-migrate status what is done; run the command again to go on.',
        exitCode: EXIT_CODES.interrupted,
      },
    );
  }
}

/**
 * Ends with `work`, or on Ctrl-C with an InterruptedError; work that has said how to stop it is stopped
 * and ends by itself.
 */
export async function untilInterrupted<T>(
  signal: AbortSignal,
  stops: readonly (() => Promise<void>)[],
  work: () => Promise<T>,
): Promise<T> {
  const interruption = new Promise<never>((_, reject) => {
    const interrupt = () => {
      if (stops.length === 0) reject(new InterruptedError());
      Promise.all(stops.map((stop) => stop())).catch(() => reject(new InterruptedError()));
    };
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
  });
  return Promise.race([work(), interruption]);
}
