import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectAs } from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';
import { type Scenario, startScenario } from './client-contract.js';

const ORIGINAL = 'partitioncache_queue_original_query_queue';
const FRAGMENT = 'partitioncache_queue_query_fragment_queue';

let scenario: Scenario;
/** Another client. */
let other: pg.Client;

beforeAll(async () => {
  scenario = await startScenario();
  other = await connectAs(scenario.settings.client);
  // A statement that waits for a lock fails instead of hanging until the test's own deadline.
  await scenario.app.query("SET statement_timeout = '5s'");
});

beforeEach(async () => {
  // If a test has failed halfway, its transaction must not hold up the next one.
  await other.query('ROLLBACK');
  await scenario.work.query(`TRUNCATE ${ORIGINAL}, ${FRAGMENT}`);
});

async function statusOf(client: pg.Client, call: string, values: unknown[]): Promise<string> {
  const { rows } = await client.query(`SELECT ${call} AS status`, values);
  return rows[0].status;
}

const upserts = {
  fragment: (hash: string, priority: number | null = 1, table = FRAGMENT, client = scenario.app) =>
    statusOf(client, 'non_blocking_fragment_queue_upsert($1, $2, $3, $4, $5, $6)', [
      hash,
      'zipcode',
      'integer',
      `SELECT ${hash}`,
      priority,
      table,
    ]),
  original: (query: string, priority: number | null = 1, table = ORIGINAL, client = scenario.app) =>
    statusOf(client, 'non_blocking_original_queue_upsert($1, $2, $3, $4, $5)', [
      query,
      'zipcode',
      'integer',
      priority,
      table,
    ]),
};

interface BatchRow {
  idx: number;
  hash: string;
  partition_key: string;
  status: string;
}

async function batch(
  hashes: readonly string[],
  priorities: readonly (number | null)[] | null = null,
  client = scenario.app,
  table = FRAGMENT,
): Promise<BatchRow[]> {
  const { rows } = await client.query(
    'SELECT * FROM non_blocking_fragment_queue_batch_upsert($1, $2, $3, $4, $5, $6)',
    [
      hashes,
      hashes.map(() => 'zipcode'),
      hashes.map(() => 'integer'),
      hashes.map((hash) => `SELECT ${hash}`),
      priorities,
      table,
    ],
  );
  return rows;
}

const statuses = (rows: readonly BatchRow[]) => rows.map(({ status }) => status);

async function rowsOf(table: string) {
  const { rows } = await scenario.app.query(
    `SELECT * FROM ${pg.escapeIdentifier(table)} ORDER BY id`,
  );
  return rows;
}

async function prioritiesByHash(): Promise<Record<string, number>> {
  const rows = await rowsOf(FRAGMENT);
  return Object.fromEntries(rows.map(({ hash, priority }) => [hash, priority]));
}

describe.each([
  ['fragment', FRAGMENT, { hash: 'h' }],
  ['original', ORIGINAL, {}],
] as const)('enqueueing one %s', (kind, table, own) => {
  const upsert = upserts[kind];
  const key = kind === 'fragment' ? 'hash' : 'query';

  it('inserts it as given', async () => {
    expect(await upsert('h', 3)).toBe('inserted');
    const [row, ...more] = await rowsOf(table);
    expect(more).toEqual([]);
    expect(row).toMatchObject({
      ...own,
      query: kind === 'fragment' ? 'SELECT h' : 'h',
      partition_key: 'zipcode',
      partition_datatype: 'integer',
      priority: 3,
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
    });
  });

  it('raises the priority of what is queued, by one or to what is given, and never lowers it', async () => {
    await upsert('h', 5);
    const [before] = await rowsOf(table);
    expect(await upsert('h', 1)).toBe('updated');
    expect((await rowsOf(table))[0].priority).toBe(6);
    expect(await upsert('h', 20)).toBe('updated');
    expect(await upsert('h', null)).toBe('updated');
    expect(await upsert('h', -7)).toBe('updated');
    const [after, ...more] = await rowsOf(table);
    expect(more).toEqual([]);
    expect(after).toEqual({ ...before, priority: 22, updated_at: after.updated_at });
    expect(after.updated_at.getTime()).toBeGreaterThan(before.updated_at.getTime());
  });

  it('leaves the highest priority there is', async () => {
    await upsert('h', 2147483647);
    expect(await upsert('h', 1)).toBe('updated');
    expect((await rowsOf(table))[0].priority).toBe(2147483647);
  });

  it.each([
    ['locks', (name: string) => `SELECT FROM ${table} WHERE ${key} = '${name}' FOR UPDATE`],
    ['changes', (name: string) => `UPDATE ${table} SET priority = 9 WHERE ${key} = '${name}'`],
    ['deletes', (name: string) => `DELETE FROM ${table} WHERE ${key} = '${name}'`],
  ])('does not wait for another session that %s it', async (_what, statement) => {
    await upsert('h', 2);
    await other.query('BEGIN');
    await other.query(statement('h'));
    expect(await upsert('h', 7)).toBe('skipped_locked');
    await other.query('ROLLBACK');
    expect((await rowsOf(table))[0].priority).toBe(2);
    expect(await upsert('h', 7)).toBe('updated');
  });

  it.each([
    ['COMMIT', 'skipped_concurrent'],
    ['ROLLBACK', 'inserted'],
  ])(
    'leaves it in the queue once when another session inserts it and ends with %s',
    async (end, status) => {
      await other.query('BEGIN');
      expect(await upsert('h', 1, table, other)).toBe('inserted');
      const mine = upsert('h');
      await waitUntilBlocked();
      await other.query(end);
      expect(await mine).toBe(status);
      expect(await rowsOf(table)).toHaveLength(1);
    },
  );

  it('takes a table whose name needs quoting', async () => {
    const odd = `Odd "queue"; DROP TABLE pois; -- ${kind}`;
    await scenario.app.query(
      `CREATE TABLE ${pg.escapeIdentifier(odd)} (LIKE ${table} INCLUDING ALL)`,
    );
    expect(await upsert('h', 1, odd)).toBe('inserted');
    expect(await upsert('h', 1, odd)).toBe('updated');
    expect(await rowsOf(odd)).toHaveLength(1);
    expect(await rowsOf(table)).toEqual([]);
  });

  it('has priority 1 and the table of the contract as defaults', async () => {
    const call =
      kind === 'fragment'
        ? "non_blocking_fragment_queue_upsert('h', 'zipcode', 'integer', 'SELECT 1')"
        : "non_blocking_original_queue_upsert('SELECT 1', 'zipcode', 'integer')";
    const name =
      kind === 'fragment' ? 'partitioncache_fragmentqueue' : 'partitioncache_originalqueue';
    await expect(statusOf(scenario.app, call, [])).rejects.toMatchObject({
      code: '42P01',
      message: `relation "public.${name}" does not exist`,
    });
    await scenario.app.query(`CREATE TABLE ${name} (LIKE ${table} INCLUDING ALL)`);
    expect(await statusOf(scenario.app, call, [])).toBe('inserted');
    expect(await rowsOf(name)).toMatchObject([{ priority: 1 }]);
    await scenario.app.query(`DROP TABLE ${name}`);
  });
});

async function waitUntilBlocked(): Promise<void> {
  await waitFor(
    'a client waits for another one',
    async () => {
      const { rowCount } = await scenario.work.query(
        'SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()',
      );
      return rowCount;
    },
    { deadlineMs: 4000 },
  );
}

describe('enqueueing a batch of fragments', () => {
  it('says what was done for each, in the given order, from 1', async () => {
    await batch(['b'], [4]);
    expect(await batch(['c', 'b', 'a'], [3, 1, null])).toEqual([
      { idx: 1, hash: 'c', partition_key: 'zipcode', status: 'inserted' },
      { idx: 2, hash: 'b', partition_key: 'zipcode', status: 'updated' },
      { idx: 3, hash: 'a', partition_key: 'zipcode', status: 'inserted' },
    ]);
    expect(await prioritiesByHash()).toEqual({ a: 1, b: 5, c: 3 });
    expect((await rowsOf(FRAGMENT)).find(({ hash }) => hash === 'c')).toMatchObject({
      query: 'SELECT c',
      partition_datatype: 'integer',
    });
    await batch(['a', 'b', 'c'], [10, 10, 2147483647]);
    await batch(['c'], [1]);
    expect(await prioritiesByHash()).toEqual({ a: 10, b: 10, c: 2147483647 });
  });

  it('has priority 1 where none is given', async () => {
    await batch(['a', 'b'], null);
    expect(await prioritiesByHash()).toEqual({ a: 1, b: 1 });
  });

  it('queues once what it contains twice, with the highest of its priorities', async () => {
    expect(await batch(['a', 'b', 'a', 'a'], [2, 1, 6, 3])).toEqual([
      { idx: 1, hash: 'a', partition_key: 'zipcode', status: 'inserted' },
      { idx: 2, hash: 'b', partition_key: 'zipcode', status: 'inserted' },
      { idx: 3, hash: 'a', partition_key: 'zipcode', status: 'inserted' },
      { idx: 4, hash: 'a', partition_key: 'zipcode', status: 'inserted' },
    ]);
    expect(await prioritiesByHash()).toEqual({ a: 6, b: 1 });
    expect(statuses(await batch(['a', 'a']))).toEqual(['updated', 'updated']);
    expect(await prioritiesByHash()).toEqual({ a: 7, b: 1 });
  });

  it('distinguishes one hash under two partition keys', async () => {
    const { rows } = await scenario.app.query(
      "SELECT idx, partition_key, status FROM non_blocking_fragment_queue_batch_upsert('{h,h}', '{zipcode,city}', '{integer,text}', '{SELECT 1,SELECT 2}', NULL, $1)",
      [FRAGMENT],
    );
    expect(rows).toEqual([
      { idx: 1, partition_key: 'zipcode', status: 'inserted' },
      { idx: 2, partition_key: 'city', status: 'inserted' },
    ]);
    expect(await rowsOf(FRAGMENT)).toHaveLength(2);
  });

  it('accepts no fragments at all', async () => {
    expect(await batch([])).toEqual([]);
    expect(await batch([], [])).toEqual([]);
    const { rows } = await scenario.app.query(
      'SELECT * FROM non_blocking_fragment_queue_batch_upsert(NULL, NULL, NULL, NULL, NULL, $1)',
      [FRAGMENT],
    );
    expect(rows).toEqual([]);
  });

  it.each([
    ['p_partition_keys', "'{a,b}', '{k}', '{t,t}', '{q,q}', '{1,1}'"],
    ['p_partition_datatypes', "'{a,b}', '{k,k}', '{t,t,t}', '{q,q}', '{1,1}'"],
    ['p_queries', "'{a,b}', '{k,k}', '{t,t}', '{}', '{1,1}'"],
    ['p_priorities', "'{a,b}', '{k,k}', '{t,t}', '{q,q}', '{1}'"],
    ['p_hashes', "'{}', '{k,k}', '{t,t}', '{q,q}', NULL"],
  ])('raises when %s has another length, and queues nothing', async (_which, values) => {
    await expect(
      scenario.app.query(
        `SELECT * FROM non_blocking_fragment_queue_batch_upsert(${values}, '${FRAGMENT}')`,
      ),
    ).rejects.toMatchObject({ code: '2202E', message: /^all arrays must have the length/ });
    expect(await rowsOf(FRAGMENT)).toEqual([]);
  });

  it('has the table of the contract as default, and takes priorities as psycopg sends them', async () => {
    const call =
      "SELECT * FROM non_blocking_fragment_queue_batch_upsert('{h,i}', '{zipcode,city}', '{integer,NULL}', '{SELECT 1,SELECT 2}', '{3,4}'::smallint[])";
    await expect(scenario.app.query(call)).rejects.toMatchObject({
      code: '42P01',
      message: 'relation "public.partitioncache_fragmentqueue" does not exist',
    });
    await scenario.app.query(
      `CREATE TABLE partitioncache_fragmentqueue (LIKE ${FRAGMENT} INCLUDING ALL)`,
    );
    expect(statuses((await scenario.app.query(call)).rows)).toEqual(['inserted', 'inserted']);
    expect(await rowsOf('partitioncache_fragmentqueue')).toMatchObject([
      { hash: 'h', priority: 3 },
      { hash: 'i', priority: 4 },
    ]);
    await scenario.app.query('DROP TABLE partitioncache_fragmentqueue');
  });

  // PostgreSQL cannot distinguish a call with four arguments from one with two defaults left out, so neither the
  // client's own overload nor ours can be called by its name; it exists because the contract has it.
  it('has an overload of four arguments that does the same', async () => {
    const values = "'{h}', '{zipcode}', '{integer}', '{SELECT 1}'";
    await expect(
      scenario.app.query(`SELECT * FROM non_blocking_fragment_queue_batch_upsert(${values})`),
    ).rejects.toMatchObject({ code: '42725' });
    await scenario.work.query('BEGIN');
    await scenario.work.query(
      `CREATE TABLE partitioncache_fragmentqueue (LIKE ${FRAGMENT} INCLUDING ALL)`,
    );
    await scenario.work.query(
      'ALTER FUNCTION non_blocking_fragment_queue_batch_upsert(text[], text[], text[], text[]) RENAME TO overload',
    );
    const { rows } = await scenario.work.query(`SELECT * FROM overload(${values})`);
    const queued = await scenario.work.query(
      'SELECT hash, priority FROM partitioncache_fragmentqueue',
    );
    await scenario.work.query('ROLLBACK');
    expect(rows).toEqual([{ idx: 1, hash: 'h', partition_key: 'zipcode', status: 'inserted' }]);
    expect(queued.rows).toEqual([{ hash: 'h', priority: 1 }]);
  });

  it('takes a table whose name needs quoting', async () => {
    const odd = 'Odd "batch"; DROP TABLE pois; --';
    await scenario.app.query(
      `CREATE TABLE ${pg.escapeIdentifier(odd)} (LIKE ${FRAGMENT} INCLUDING ALL)`,
    );
    expect(statuses(await batch(['h'], null, scenario.app, odd))).toEqual(['inserted']);
    expect(await rowsOf(odd)).toHaveLength(1);
  });

  it.each([
    ['locks', `SELECT FROM ${FRAGMENT} WHERE hash = 'b' FOR UPDATE`],
    ['changes', `UPDATE ${FRAGMENT} SET priority = 9 WHERE hash = 'b'`],
    ['deletes', `DELETE FROM ${FRAGMENT} WHERE hash = 'b'`],
  ])('skips what another session %s, and does not wait for it', async (_what, statement) => {
    await batch(['a', 'b']);
    await other.query('BEGIN');
    await other.query(statement);
    expect(statuses(await batch(['a', 'b', 'c']))).toEqual([
      'updated',
      'skipped_locked',
      'inserted',
    ]);
    await other.query('ROLLBACK');
    expect(await prioritiesByHash()).toEqual({ a: 2, b: 1, c: 1 });
  });

  it.each([
    ['COMMIT', 'skipped_concurrent'],
    ['ROLLBACK', 'inserted'],
  ])(
    'loses nothing when another session inserts the same and ends with %s',
    async (end, status) => {
      await other.query('BEGIN');
      await batch(['b'], null, other);
      const mine = batch(['a', 'b', 'c']);
      await waitUntilBlocked();
      await other.query(end);
      expect(statuses(await mine)).toEqual(['inserted', status, 'inserted']);
      expect(await prioritiesByHash()).toEqual({ a: 1, b: 1, c: 1 });
    },
  );

  it('neither deadlocks nor loses anything in many sessions with overlapping batches', async () => {
    const sessions = await Promise.all(
      Array.from({ length: 8 }, () => connectAs(scenario.settings.client)),
    );
    const done: BatchRow[] = [];
    for (let round = 0; round < 10; round += 1) {
      // Half of them are new in each round, and come to each session in another order.
      const hashes = Array.from({ length: 1000 }, (_, i) => `h${round * 500 + i}`);
      const results = await Promise.all(
        sessions.map((session, number) => batch(shuffled(hashes, number), null, session)),
      );
      done.push(...results.flat());
    }
    const expected: Record<string, number> = {};
    for (const { hash, status } of done) {
      const counts = status === 'inserted' || status === 'updated';
      expected[hash] = (expected[hash] ?? 0) + (counts ? 1 : 0);
    }
    expect(await prioritiesByHash()).toEqual(expected);
    expect(Object.keys(expected)).toHaveLength(5500);
    expect(done.filter(({ status }) => status === 'inserted')).toHaveLength(5500);
  });
});

/** In an order that depends only on the seed, so that a failure can be repeated. */
function shuffled<T>(values: readonly T[], seed: number): T[] {
  const result = [...values];
  let state = seed + 1;
  for (let last = result.length - 1; last > 0; last -= 1) {
    state = (state * 48271) % 2147483647;
    const other = state % (last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

describe('the notifications', () => {
  it.each([
    [ORIGINAL, 'original_query_available', 'query, partition_key', "'q', 'k'"],
    [FRAGMENT, 'query_fragment_available', 'query, hash, partition_key', "'q', 'h', 'k'"],
  ])(
    'of %s reach a client that listens, on insert and on update',
    async (table, channel, columns, values) => {
      const listener = await connectAs(scenario.settings.client);
      const heard: string[] = [];
      listener.on('notification', (message) => heard.push(message.channel));
      await listener.query('LISTEN original_query_available');
      await listener.query('LISTEN query_fragment_available');
      const hears = async (statement: string) => {
        heard.length = 0;
        await scenario.app.query(statement);
        await waitFor(`a notification of: ${statement}`, async () => heard.length, {
          deadlineMs: 4000,
        });
        expect(new Set(heard)).toEqual(new Set([channel]));
      };
      await hears(`INSERT INTO ${table} (${columns}) VALUES (${values})`);
      await hears(`UPDATE ${table} SET priority = priority + 1`);
      await hears(
        table === FRAGMENT
          ? `SELECT non_blocking_fragment_queue_upsert('new', 'k', NULL, 'q', 1, '${table}')`
          : `SELECT non_blocking_original_queue_upsert('new', 'k', NULL, 1, '${table}')`,
      );
      heard.length = 0;
      await scenario.app.query('BEGIN');
      await scenario.app.query(`UPDATE ${table} SET priority = priority + 1`);
      await scenario.app.query('ROLLBACK');
      await sleep(200);
      expect(heard).toEqual([]);
    },
  );
});
