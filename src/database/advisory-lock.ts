import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { EXIT_CODES } from '../errors/exit-codes.js';
import { PcacheError } from '../errors/pcache-error.js';
import { inQuotes } from '../errors/shown.js';

/** The session that holds the lock; values that the server hides from this role are undefined. */
export interface LockHolder {
  pid: number;
  user: string | undefined;
  application: string | undefined;
  clientAddress: string | undefined;
  connectedSince: Date | undefined;
}

export interface LockOptions {
  /** How long to wait for another session; 0 means not at all. */
  waitSeconds: number;
  /** Called once, if another session holds the lock. */
  onWait?: (holder: LockHolder | undefined) => void;
}

export class LockBusyError extends PcacheError {
  override readonly name = 'LockBusyError';
  readonly holder: LockHolder | undefined;

  constructor(key: string, waitSeconds: number, holder: LockHolder | undefined) {
    super(
      `another session holds the lock "${key}"${holder ? `: ${describeLockHolder(holder)}` : ''}; waited ${waitSeconds} s`,
      {
        remedy: holder
          ? `Try again when it is done; if it hangs, end it: SELECT pg_terminate_backend(${holder.pid});`
          : 'Try again.',
        exitCode: EXIT_CODES.busy,
      },
    );
    this.holder = holder;
  }
}

export function describeLockHolder(holder: LockHolder): string {
  return [
    `pid ${holder.pid}`,
    holder.user && `user ${inQuotes(holder.user)}`,
    holder.application && `application ${inQuotes(holder.application)}`,
    holder.clientAddress && `from ${holder.clientAddress}`,
    holder.connectedSince && `connected since ${holder.connectedSince.toISOString()}`,
  ]
    .filter(Boolean)
    .join(', ');
}

/** Runs `use` while this session holds the lock named `key` in the client's database. */
export async function withAdvisoryLock<T>(
  client: ClientBase,
  key: string,
  options: LockOptions,
  use: () => Promise<T>,
): Promise<T> {
  const id = lockId(key);
  await acquire(client, key, id, options);
  try {
    return await use();
  } finally {
    await release(client, id);
  }
}

/** PostgreSQL identifies an advisory lock by a bigint. */
export function lockId(key: string): bigint {
  return createHash('sha256').update(key).digest().readBigInt64BE();
}

const POLL_MILLISECONDS = 200;

// We poll, because a session that waits inside pg_advisory_lock() holds a snapshot the whole time. If
// the holder ran CREATE INDEX CONCURRENTLY, it would wait for that snapshot forever.
async function acquire(
  client: ClientBase,
  key: string,
  id: bigint,
  { waitSeconds, onWait }: LockOptions,
): Promise<void> {
  if (await tryLock(client, id)) return;
  onWait?.(await lockHolder(client, id));
  const deadline = performance.now() + waitSeconds * 1000;
  while (performance.now() < deadline) {
    await sleep(Math.min(POLL_MILLISECONDS, deadline - performance.now()));
    if (await tryLock(client, id)) return;
  }
  throw new LockBusyError(key, waitSeconds, await lockHolder(client, id));
}

async function tryLock(client: ClientBase, id: bigint): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>(
    'SELECT pg_catalog.pg_try_advisory_lock($1::bigint) AS locked',
    [String(id)],
  );
  return rows[0]?.locked === true;
}

async function release(client: ClientBase, id: bigint): Promise<void> {
  try {
    await client.query('SELECT pg_catalog.pg_advisory_unlock($1::bigint)', [String(id)]);
  } catch {
    // The transaction is aborted, or the connection is gone. The server releases the lock when the
    // session ends, and this error must not replace the one that `use` threw.
  }
}

/** Who else holds the lock named `key` in the client's database; undefined if nobody does. */
export function advisoryLockHolder(
  client: ClientBase,
  key: string,
): Promise<LockHolder | undefined> {
  return lockHolder(client, lockId(key));
}

interface HolderRow {
  pid: number;
  user: string | null;
  application: string | null;
  client_address: string | null;
  connected_since: Date | null;
}

async function lockHolder(client: ClientBase, id: bigint): Promise<LockHolder | undefined> {
  const { rows } = await client.query<HolderRow>(
    `SELECT l.pid, a.usename AS "user", nullif(a.application_name, '') AS application,
            pg_catalog.host(a.client_addr) AS client_address, a.backend_start AS connected_since
       FROM pg_catalog.pg_locks l
       LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint`,
    [String(id)],
  );
  const row = rows[0];
  return (
    row && {
      pid: row.pid,
      user: row.user ?? undefined,
      application: row.application ?? undefined,
      clientAddress: row.client_address ?? undefined,
      connectedSince: row.connected_since ?? undefined,
    }
  );
}
