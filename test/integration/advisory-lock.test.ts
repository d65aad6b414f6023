import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LockBusyError, lockId, withAdvisoryLock } from '../../src/database/advisory-lock.js';
import { withClient } from '../../src/database/connect.js';
import type { ConnectionSettings } from '../../src/settings/settings.js';
import { sharedCluster } from '../harness/cluster.js';
import {
  adminClient,
  createDatabase,
  createRole,
  dropDatabase,
  type Role,
} from '../harness/databases.js';

let admin: pg.Client;
let role: Role;
let database: string;
let settings: ConnectionSettings;

beforeAll(async () => {
  role = await createRole('lock');
  database = await createDatabase('lock');
  admin = await adminClient(database);
  const { host, port } = sharedCluster();
  const ssl = { mode: 'disable' } as const;
  settings = { host, port, user: role.name, password: role.password, database, ssl };
});

afterAll(async () => {
  await admin?.end();
  if (database) await dropDatabase(database);
});

const attempt = (client: pg.Client, key: string, waitSeconds: number, onWait?: () => void) =>
  withAdvisoryLock(client, key, { waitSeconds, ...(onWait && { onWait }) }, async () => 'held');

const failure = (promise: Promise<unknown>): Promise<LockBusyError> =>
  promise.then(
    () => expect.fail('the lock was free'),
    (error) => error,
  );

// Both signs of the bigint, since pg_locks shows its halves unsigned.
test.each(['b', 'a'])('a lock that is held names its holder (key %s)', async (key) => {
  await withClient(settings, (holder) =>
    withAdvisoryLock(holder, key, { waitSeconds: 0 }, async () => {
      const error = await failure(attempt(admin, key, 0));
      expect(error).toBeInstanceOf(LockBusyError);
      expect(error.holder).toMatchObject({
        pid: (holder as pg.Client & { processID: number }).processID,
        user: role.name,
        application: 'pcache-migrate',
        clientAddress: expect.any(String),
        connectedSince: expect.any(Date),
      });
      expect(await attempt(admin, `another ${key}`, 0)).toBe('held');
    }),
  );
  expect(await attempt(admin, key, 0)).toBe('held');
});

test('the two keys above have different signs', () => {
  expect([lockId('a') < 0n, lockId('b') < 0n].sort()).toEqual([false, true]);
});

test('a role without further privileges learns about another role what the server reveals', async () => {
  await withAdvisoryLock(admin, 'hidden', { waitSeconds: 0 }, async () => {
    const error = await failure(withClient(settings, (client) => attempt(client, 'hidden', 0)));
    expect(error.message).toMatch(/pid \d+, user "postgres"/);
    expect(error.holder?.clientAddress).toBeUndefined();
  });
});

test('a lock is waited for', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held = withAdvisoryLock(admin, 'wait', { waitSeconds: 0 }, () => released);
  await withClient(settings, async (client) => {
    expect(await attempt(client, 'wait', 30, () => release())).toBe('held');
  });
  await held;
});

test('a lock outlives neither a failed transaction nor its session', async () => {
  const broken = withClient(settings, (client) =>
    withAdvisoryLock(client, 'broken', { waitSeconds: 0 }, async () => {
      await client.query('BEGIN');
      await client.query('SELECT 1/0');
    }),
  );
  await expect(broken).rejects.toMatchObject({ code: '22012' });
  expect(await attempt(admin, 'broken', 5)).toBe('held');
});

test('it is a lock of the database: the same key in another one is free', async () => {
  const other = await adminClient('postgres');
  try {
    await withAdvisoryLock(admin, 'local', { waitSeconds: 0 }, async () => {
      expect(await attempt(other, 'local', 0)).toBe('held');
    });
  } finally {
    await other.end();
  }
});
