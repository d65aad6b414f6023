import type { LockPolicy } from '../migrations/locking-transaction.js';

/** Short waits with retries: a migration must never make the application queue up behind it. */
export function lockPolicy(log: (message: string) => void): LockPolicy {
  return { lockTimeoutMs: 2000, retries: 8, log };
}
