import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { backendPid } from '../database/backend-pid.js';
import { type Blocker, describeBlocker, endingLines, watchBlockers } from '../database/blockers.js';
import { isDatabaseError, isServersRefusal } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';

export interface LockPolicy {
  /** How long a statement may wait for a lock; the application queues up behind it meanwhile. */
  readonly lockTimeoutMs: number;
  /** How often the whole transaction is tried again when it did not get a lock. */
  readonly retries: number;
  readonly log: (message: string) => void;
}

export class LockUnavailableError extends PcacheError {
  override readonly name = 'LockUnavailableError';
  readonly attempts: number;

  readonly blockers: readonly Blocker[];

  constructor(attempts: number, lockTimeoutMs: number, blockers: readonly Blocker[], cause: Error) {
    super(
      `A lock could not be had in ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} of up to ${lockTimeoutMs} ms.\n${shown(cause.message)}\n${heldBy(blockers)}`,
      {
        remedy:
          blockers.length > 0
            ? `Let that session finish, or end it, as its role or an administrator: ${endingLines(blockers)} Then run the command again.`
            : FIND_THE_BLOCKER,
        cause,
      },
    );
    this.attempts = attempts;
    this.blockers = blockers;
  }
}

/** We know what became of the transaction only if the server itself refused to commit. */
export class CommitError extends PcacheError {
  override readonly name = 'CommitError';

  constructor(cause: Error) {
    const refused = isServersRefusal(cause);
    super(
      refused
        ? `PostgreSQL refused to commit and rolled the transaction back: ${describeDatabaseError(cause)}`
        : `The connection was lost while committing (${shown(cause.message)}). Whether the changes were made is unknown.`,
      {
        remedy: refused ? undefined : 'Ask pcache-migrate status, then run the command again.',
        cause,
      },
    );
  }
}

function heldBy(blockers: readonly Blocker[]): string {
  return blockers.length > 0
    ? `The lock is held by ${blockers.map(describeBlocker).join('; ')}.`
    : 'Another session holds a lock that conflicts.';
}

// Where that could not be seen, and once the wait is over, the server can no longer say it.
const FIND_THE_BLOCKER = `To see which session blocks, run the command again and, while it waits, in the same database:
  SELECT b.pid, b.usename, b.application_name, b.state, b.xact_start
  FROM pg_stat_activity w JOIN pg_stat_activity b ON b.pid = ANY (pg_blocking_pids(w.pid))
  WHERE w.datname = current_database() AND w.wait_event_type = 'Lock';
Let that session finish, or end it by pg_terminate_backend(pid); then run the command again.`;

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';
const LONGEST_PAUSE_MS = 10_000;

export async function lockingTransaction<T>(
  client: ClientBase,
  policy: LockPolicy,
  work: () => Promise<T>,
): Promise<T> {
  checkPolicy(policy);
  for (let attempt = 1; ; attempt += 1) {
    const watch = watchBlockers(client, await backendPid(client), policy.lockTimeoutMs / 2);
    try {
      return await transaction(client, policy.lockTimeoutMs, work);
    } catch (error) {
      if (!(error instanceof Error) || !isLockFailure(error)) throw error;
      const blockers = await watch.stop();
      if (attempt > policy.retries) {
        throw new LockUnavailableError(attempt, policy.lockTimeoutMs, blockers, error);
      }
      // Those who queued behind the failed attempt get at least as long as they had to wait.
      const pause = Math.min(policy.lockTimeoutMs * 2 ** (attempt - 1), LONGEST_PAUSE_MS);
      policy.log(
        `No lock in attempt ${attempt} of ${policy.retries + 1}, rolled back; again in ${pause} ms. ${heldBy(blockers)} ${shown(error.message)}`,
      );
      await sleep(pause);
    } finally {
      await watch.stop();
    }
  }
}

function checkPolicy({ lockTimeoutMs, retries }: LockPolicy): void {
  // To PostgreSQL a timeout of 0 means: wait for ever.
  if (!Number.isSafeInteger(lockTimeoutMs) || lockTimeoutMs < 1) {
    throw new RangeError(
      `The lock timeout must be a whole number of milliseconds from 1 on, not ${lockTimeoutMs}.`,
    );
  }
  if (!Number.isSafeInteger(retries) || retries < 0) {
    throw new RangeError(`The number of retries must be a whole number from 0 on, not ${retries}.`);
  }
}

async function transaction<T>(
  client: ClientBase,
  lockTimeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockTimeoutMs}`);
    const result = await work();
    await client.query('COMMIT').catch((cause: Error) => {
      throw new CommitError(cause);
    });
    return result;
  } catch (error) {
    // A connection that can't even roll back is gone, and the transaction with it.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

export function isLockFailure(error: Error): boolean {
  const state = sqlState(error);
  return state === LOCK_NOT_AVAILABLE || state === DEADLOCK_DETECTED;
}

function sqlState(error: unknown): string | undefined {
  if (isDatabaseError(error)) return error.code;
  return error instanceof Error ? sqlState(error.cause) : undefined;
}
