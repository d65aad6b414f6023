import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `look` until it returns true; throws at the deadline. */
export async function pollUntil(
  what: string,
  look: () => Promise<boolean>,
  { everyMs, deadlineMs }: { everyMs: number; deadlineMs: number },
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await sleep(everyMs);
  }
}
