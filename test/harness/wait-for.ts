import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

const intervalMs = 100;

/**
 * Looks again and again until the value is as wanted (`until`; else: until it is truthy) and
 * returns it; fails at the deadline with the description and the last value. An error of `look`
 * fails at once.
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
