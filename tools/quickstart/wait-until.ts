import { setTimeout as sleep } from 'node:timers/promises';

const intervalMs = 250;

/** Calls `look` until it returns true; returns false if that takes longer than the deadline. */
export async function waitUntil(
  look: () => Promise<boolean>,
  deadlineSeconds: number,
): Promise<boolean> {
  const deadline = performance.now() + deadlineSeconds * 1000;
  while (!(await look())) {
    if (performance.now() > deadline) return false;
    await sleep(intervalMs);
  }
  return true;
}
