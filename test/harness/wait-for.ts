import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

const intervalMs = 100;

/**
 * Calls `look` again and again until `until` accepts the value (by default, until it is truthy) and
 * returns it. Fails at the deadline, with the description and the last value, or at once if `look`
 * throws.
 */
export async function waitFor<T>(
  description: string,
  look: () => Promise<T>,
  { deadlineMs, until = Boolean }: { deadlineMs: number; until?: (value: T) => boolean },
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (until(value)) return value;
    if (Date.now() > deadline) {
      throw new Error(
        `waited ${deadlineMs / 1000} s in vain for: ${description}; last value: ${inspect(value)}`,
      );
    }
    await sleep(intervalMs);
  }
}
