import { type ClientBase, DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { CommitError, lockingTransaction } from '../../../src/migrations/locking-transaction.js';

const policy = { lockTimeoutMs: 100, retries: 3, log: () => {} };

function clientLosingItsConnectionAtCommit(sent: string[]): ClientBase {
  const query = async (text: string) => {
    sent.push(text);
    if (sent.includes('COMMIT')) throw new Error('Connection terminated unexpectedly');
    return { rows: [{ pid: 1 }] };
  };
  return { query } as unknown as ClientBase;
}

test('a connection lost at COMMIT is not taken for a rollback, nor tried again', async () => {
  const sent: string[] = [];
  const client = clientLosingItsConnectionAtCommit(sent);
  const running = lockingTransaction(client, policy, async () => 'done');
  await expect(running).rejects.toThrow(CommitError);
  await expect(running).rejects.toMatchObject({
    message: expect.stringMatching(/Connection terminated.*unknown/),
    remedy: expect.stringContaining('pcache-migrate status'),
  });
  expect(sent.slice(1)).toEqual(['BEGIN', 'SET LOCAL lock_timeout = 100', 'COMMIT', 'ROLLBACK']);
});

test.each([-1, 0.5, Number.NaN])(
  '%d retries are refused before anything is sent',
  async (retries) => {
    const sent: string[] = [];
    const client = clientLosingItsConnectionAtCommit(sent);
    const running = lockingTransaction(client, { ...policy, retries }, async () => 'done');
    await expect(running).rejects.toThrow(RangeError);
    expect(sent).toEqual([]);
  },
);

test.each([
  ['57P01', 'terminating connection due to administrator command', /unknown/],
  ['23505', 'duplicate key value', /rolled the transaction back/],
])('what SQLSTATE %s means at COMMIT is said rightly', (code, message, expected) => {
  const cause = Object.assign(new DatabaseError(message, 0, 'error'), { code, severity: 'FEHLER' });
  expect(new CommitError(cause).message).toMatch(expected);
});
