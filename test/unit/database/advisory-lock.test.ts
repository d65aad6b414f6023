import type { ClientBase } from 'pg';
import { expect, test, vi } from 'vitest';
import { LockBusyError, lockId, withAdvisoryLock } from '../../../src/database/advisory-lock.js';

const HOLDER = {
  pid: 42,
  user: 'migrator',
  application: 'pcache-migrate',
  client_address: '10.0.0.9',
  connected_since: new Date('2025-01-02T03:04:05Z'),
};

/** A session that gets the lock at the n-th try. */
function session({ freeAtTry = 1, unlockFails = false, holder = HOLDER as object | null } = {}) {
  let tries = 0;
  const statements: string[] = [];
  const query = async (text: string) => {
    const statement = /pg_(?:try_advisory_lock|advisory_unlock|locks)/.exec(text)?.[0] ?? text;
    statements.push(statement);
    if (statement === 'pg_try_advisory_lock') return { rows: [{ locked: ++tries >= freeAtTry }] };
    if (statement === 'pg_locks') return { rows: holder ? [holder] : [] };
    if (unlockFails) throw new Error('current transaction is aborted');
    return { rows: [] };
  };
  return { client: { query } as unknown as ClientBase, statements };
}

test('the lock is taken, used and released', async () => {
  const { client, statements } = session();
  const result = await withAdvisoryLock(client, 'key', { waitSeconds: 0 }, async () => {
    statements.push('used');
    return 'result';
  });
  expect(result).toBe('result');
  expect(statements).toEqual(['pg_try_advisory_lock', 'used', 'pg_advisory_unlock']);
});

test('it is released when its use fails, and that failure is thrown', async () => {
  const { client, statements } = session({ unlockFails: true });
  const use = async () => {
    throw new Error('the real reason');
  };
  await expect(withAdvisoryLock(client, 'key', { waitSeconds: 0 }, use)).rejects.toThrow(
    'the real reason',
  );
  expect(statements.at(-1)).toBe('pg_advisory_unlock');
});

test('a busy lock is waited for, and reported once', async () => {
  const { client } = session({ freeAtTry: 2 });
  const onWait = vi.fn();
  await withAdvisoryLock(client, 'key', { waitSeconds: 0.01, onWait }, async () => {});
  expect(onWait.mock.calls).toMatchObject([[{ pid: 42, clientAddress: '10.0.0.9' }]]);
});

test('one that stays busy is an error that says who holds it', async () => {
  const { client, statements } = session({ freeAtTry: 99 });
  const error = await withAdvisoryLock(client, 'key', { waitSeconds: 0 }, async () => {}).catch(
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(LockBusyError);
  expect(error.message).toBe(
    'another session holds the lock "key": pid 42, user "migrator", application "pcache-migrate", from 10.0.0.9, connected since 2025-01-02T03:04:05.000Z; waited 0 s',
  );
  expect(error.remedy).toContain('SELECT pg_terminate_backend(42);');
  expect(statements).not.toContain('pg_advisory_unlock');
});

test('what the server hides about the holder is left out', async () => {
  const hidden = {
    pid: 42,
    user: null,
    application: null,
    client_address: null,
    connected_since: null,
  };
  for (const [holder, message] of [
    [hidden, 'another session holds the lock "key": pid 42; waited 0 s'],
    [null, 'another session holds the lock "key"; waited 0 s'],
  ] as const) {
    const { client } = session({ freeAtTry: 99, holder });
    await expect(
      withAdvisoryLock(client, 'key', { waitSeconds: 0 }, async () => {}),
    ).rejects.toThrow(message);
  }
});

test('a key always gives the same bigint, another key another', () => {
  expect(lockId('a')).toBe(lockId('a'));
  expect(lockId('a')).not.toBe(lockId('b'));
  expect(BigInt.asIntN(64, lockId('a'))).toBe(lockId('a'));
});
