import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownName } from '../../src/deployment/own-names.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { retryFragments } from '../../src/processor/retry-fragments.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import type { Settings } from '../../src/settings/settings.js';
import {
  connectAs,
  createSite,
  enqueue,
  type Fragment,
  setUp,
  type TestSite,
  tablesOf,
} from '../harness/deployment.js';
import { waitFor } from '../harness/wait-for.js';
import { cli } from '../unit/cli/fake-world.js';

let site: TestSite;
let settings: Settings;
let work: pg.Client;
let app: pg.Client;
let runner: pg.Client;

beforeAll(async () => {
  site = await createSite();
  settings = site.settings();
  await setUp(settings, { enable: false, parallel: 1 });
  work = await connectAs(settings.work);
  app = await connectAs(settings.client);
  runner = await connectAs({ ...settings.cron, database: site.database });
});

const fragment = (hash: string, query: string, key = 'zipcode'): Fragment => ({
  hash,
  key,
  datatype: null,
  query,
});

const process = () => runProcessor(runner, settings, defaultJobName(settings), 100);

async function configure(change: string): Promise<void> {
  await work.query(`UPDATE ${tablesOf(settings).processorConfig} SET ${change}`);
}

async function retry(...options: string[]) {
  return cli(['processor', 'retry', ...options], { env: site.environment() });
}

async function retryJson(...options: string[]) {
  const { code, stdout } = await retry(...options, '--json');
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ command: 'processor retry', exitCode: code, ok: code === 0 });
  return document;
}

async function statuses(): Promise<Record<string, string>> {
  const { rows } = await work.query(
    `SELECT query_hash, status FROM ${tablesOf(settings).queries} ORDER BY query_hash`,
  );
  return Object.fromEntries(rows.map(({ query_hash, status }) => [query_hash, status]));
}

async function queued() {
  const { rows } = await work.query(
    `SELECT hash, partition_key AS key, partition_datatype AS datatype, priority FROM ${tablesOf(settings).fragmentQueue} ORDER BY hash`,
  );
  return rows;
}

async function cached(key = 'zipcode'): Promise<Record<string, unknown>> {
  const { rows } = await app.query(
    `SELECT query_hash, partition_keys AS keys FROM ${settings.tablePrefix}_cache_${key} ORDER BY query_hash`,
  );
  return Object.fromEntries(rows.map(({ query_hash, keys }) => [query_hash, keys]));
}

describe('fragments that fail in several ways', () => {
  beforeAll(async () => {
    await work.query(
      `CREATE TABLE secrets AS SELECT 1 AS zipcode;
       CREATE TABLE delay AS SELECT 60 AS seconds; GRANT SELECT ON delay TO ${site.fragmentRole}`,
    );
    await configure('timeout_seconds = 1, result_limit = 2');
    await enqueue(app, settings, [
      fragment('fine', 'SELECT zipcode FROM pois WHERE id = 1'),
      fragment('forbidden', 'SELECT zipcode FROM secrets'),
      fragment('missing', 'SELECT zipcode FROM not_yet'),
      fragment('missing too', 'SELECT city FROM not_yet', 'city'),
      fragment('slow', 'SELECT 5 FROM delay, pg_sleep(seconds)'),
      fragment('many', 'SELECT zipcode FROM pois WHERE id < 4'),
    ]);
    await process();
  });

  it('are settled without a result, and stay so', async () => {
    expect(await statuses()).toEqual({
      fine: 'ok',
      forbidden: 'failed',
      missing: 'failed',
      'missing too': 'failed',
      slow: 'timeout',
      many: 'limit',
    });
    expect(await cached()).toEqual({ fine: [1], many: null });
    expect((await process()).processed).toBe(0);
  });

  it('are counted by --dry-run, which changes nothing', async () => {
    const before = await statuses();
    expect(await retryJson('--dry-run')).toMatchObject({
      dryRun: true,
      statuses: ['failed', 'timeout'],
      putBack: 4,
      queuedAlready: 0,
      inUse: 0,
      unknown: [],
    });
    expect((await retry('--dry-run', '--status', 'limit')).stdout).toBe(
      `Would put 1 fragment with status limit back into the queue of database "${site.database}".\n`,
    );
    expect(await queued()).toEqual([]);
    expect(await statuses()).toEqual(before);
    expect(await cached()).toEqual({ fine: [1], many: null });
  });

  it('are put back by hash, and hashes of no such fragment are named, exit code 1', async () => {
    const { code, stdout } = await retry('--hash', 'missing', '--hash', 'fine', 'many', 'nobody');
    expect(stdout).toBe(
      [
        `Put 1 fragment with status failed or timeout back into the queue of database "${site.database}".`,
        '',
        'No fragment with status failed or timeout has these hashes:',
        '  fine: ok (zipcode)',
        '  many: limit (zipcode)',
        '  nobody: unknown',
        '',
        'No processor is enabled, so nothing is evaluated yet. Start with: pcache-migrate processor enable',
        '',
      ].join('\n'),
    );
    expect(code).toBe(1);
    expect(await queued()).toEqual([
      { hash: 'missing', key: 'zipcode', datatype: 'integer', priority: 1 },
    ]);
    expect(Object.keys(await statuses())).not.toContain('missing');
    expect((await retryJson('--hash', 'missing')).unknown).toEqual([
      { queryHash: 'missing', states: [{ partitionKey: 'zipcode', state: 'queued' }] },
    ]);
  });

  it('are put back by partition key, whose datatype need not be known', async () => {
    expect(await retryJson('--partition-key', 'city')).toMatchObject({ putBack: 1 });
    expect(await queued()).toContainEqual({
      hash: 'missing too',
      key: 'city',
      datatype: null,
      priority: 1,
    });
  });

  it('are all evaluated at once when the causes are fixed, and cached', async () => {
    await work.query(
      `GRANT SELECT ON secrets TO ${site.fragmentRole};
       CREATE TABLE not_yet AS SELECT 7 AS zipcode, 'here'::text AS city; GRANT SELECT ON not_yet TO ${site.fragmentRole};
       UPDATE delay SET seconds = 0`,
    );
    await configure('result_limit = NULL');
    expect(await retryJson('--status', 'timeout')).toMatchObject({
      statuses: ['timeout'],
      putBack: 1,
    });
    expect(await retryJson('--status', 'limit', '--status', 'failed')).toMatchObject({
      statuses: ['failed', 'limit'],
      putBack: 2,
    });
    // Nothing is known about it until then, not even that it is of no use.
    expect(await cached()).toEqual({ fine: [1] });
    expect((await process()).outcomes).toEqual({ ok: 5 });
    expect(await cached()).toEqual({
      fine: [1],
      forbidden: [1],
      missing: [7],
      slow: [5],
      many: [1, 2, 3],
    });
    expect(await cached('city')).toEqual({ 'missing too': ['here'] });
    expect(new Set(Object.values(await statuses()))).toEqual(new Set(['ok']));
    expect(await queued()).toEqual([]);
  });

  it('are gone then', async () => {
    expect(await retry()).toMatchObject({
      code: 0,
      stdout: `Nothing to put back into the queue of database "${site.database}".\n`,
    });
  });
});

describe('a fragment that is in the queue already', () => {
  beforeEach(async () => {
    const { fragmentQueue, queries } = tablesOf(settings);
    await work.query(
      `DELETE FROM ${fragmentQueue}; DELETE FROM ${queries}; DELETE FROM ${ownName(settings, 'attempt')}`,
    );
    await configure('timeout_seconds = 60');
    await enqueue(app, settings, [fragment('again', 'SELECT zipcode FROM nowhere')]);
    await process();
    await enqueue(app, settings, [
      { ...fragment('again', 'SELECT zipcode FROM nowhere'), datatype: 'integer' },
    ]);
  });

  it('keeps its row, and no longer waits', async () => {
    await work.query(
      `INSERT INTO ${ownName(settings, 'attempt')} (query_hash, partition_key, attempts, not_before, last_error)
       VALUES ('again', 'zipcode', 2, now() + interval '1 h', '40001: no')`,
    );
    const before = await queued();
    expect(before).toHaveLength(1);
    expect((await process()).processed).toBe(0);
    expect((await retry()).stdout).toContain(
      'In the queue already, and due at once now: 1 fragment.',
    );
    expect(await queued()).toEqual(before);
    expect((await process()).outcomes).toEqual({ failed: 1 });
  });

  it.each([
    ['succeeds', 'ok'],
    ['fails', 'failed'],
  ])('and at work is not waited for, and is not lost when it %s', async (_, status) => {
    await work.query(
      `CREATE TABLE IF NOT EXISTS gate (zipcode integer); GRANT SELECT ON gate TO ${site.fragmentRole};
       UPDATE ${tablesOf(settings).fragmentQueue} SET query = 'SELECT zipcode / ${status === 'ok' ? 1 : 0} FROM gate';
       TRUNCATE gate; INSERT INTO gate VALUES (1)`,
    );
    const locker = await connectAs(settings.work);
    await locker.query('BEGIN; LOCK TABLE gate');
    await work.query('UPDATE partitioncache.settings SET retry_backoff_seconds = 0');
    const running = process();
    try {
      await waitFor(
        'the fragment to be at work',
        async () => {
          const { rowCount } = await work.query(
            "SELECT FROM pg_locks WHERE relation = 'gate'::regclass AND NOT granted",
          );
          return rowCount;
        },
        { deadlineMs: 10_000 },
      );
      expect(await retryJson()).toMatchObject({ putBack: 0, queuedAlready: 1, inUse: 0 });
    } finally {
      await locker.query('COMMIT');
      await work.query('UPDATE partitioncache.settings SET retry_backoff_seconds = DEFAULT');
    }
    expect((await running).outcomes).toEqual({ [status]: 1 });
    expect(await statuses()).toEqual({ again: status });
    expect(await queued()).toEqual([]);
  });

  it('and is just being settled is not waited for: the two could wait for each other', async () => {
    const { fragmentQueue, queries } = tablesOf(settings);
    await work.query(
      `INSERT INTO ${ownName(settings, 'attempt')} (query_hash, partition_key, attempts, not_before, last_error)
       VALUES ('again', 'zipcode', 1, now(), '40001: no')`,
    );
    const operator = await connectAs(settings.work);
    await operator.query("SET statement_timeout = '10s'");
    await runner.query(
      `BEGIN; DELETE FROM ${ownName(settings, 'attempt')}; DELETE FROM ${fragmentQueue}`,
    );
    try {
      const report = await retryFragments(operator, settings, { statuses: ['failed'] });
      expect(report).toMatchObject({ putBack: 0, queuedAlready: 1, inUse: 0 });
      await runner.query(
        `INSERT INTO ${queries} (query_hash, partition_key, query, status) VALUES ('again', 'zipcode', '', 'timeout')
         ON CONFLICT (query_hash, partition_key) DO UPDATE SET status = EXCLUDED.status`,
      );
    } finally {
      await runner.query('COMMIT');
    }
    expect(await statuses()).toEqual({ again: 'timeout' });
    expect(await queued()).toEqual([]);
  });
});

describe('retry_fragments', () => {
  const many = 2500;

  beforeEach(async () => {
    const { fragmentQueue, queries } = tablesOf(settings);
    await work.query(`DELETE FROM ${fragmentQueue}; DELETE FROM ${queries}`);
    await work.query(
      `INSERT INTO ${queries} (query_hash, partition_key, query, status)
       SELECT 'h' || n % 1300, 'key ' || n / 1300, 'SELECT ' || n, CASE n % 5 WHEN 0 THEN 'ok' WHEN 1 THEN 'timeout' ELSE 'failed' END
         FROM generate_series(0, $1 - 1) AS n`,
      [many],
    );
  });

  it('works for the client too, whatever the number, and does not touch what has another status', async () => {
    const { rows } = await app.query('SELECT * FROM partitioncache.retry_fragments()');
    expect(rows).toEqual([
      { put_back: String(many * 0.8), queued_already: '0', in_use: '0', unknown_hashes: [] },
    ]);
    expect(await queued()).toHaveLength(many * 0.8);
    expect(new Set(Object.values(await statuses()))).toEqual(new Set(['ok']));
    const wrong = await work.query(
      `SELECT FROM ${tablesOf(settings).fragmentQueue} WHERE substring(query FROM 8)::int % 5 = 0`,
    );
    expect(wrong.rowCount).toBe(0);
  });

  it('does not wait for a row that another session holds, and says so', async () => {
    const { queries } = tablesOf(settings);
    await app.query(
      `BEGIN; UPDATE ${queries} SET last_seen = now() WHERE query_hash = 'h1299' AND partition_key = 'key 0'`,
    );
    try {
      const { stdout } = await retry();
      expect(stdout).toContain(
        'Left alone 1 fragment that another session is settling or changing at this moment.',
      );
    } finally {
      await app.query('ROLLBACK');
    }
    expect(Object.entries(await statuses()).filter(([, status]) => status !== 'ok')).toEqual([
      ['h1299', 'failed'],
    ]);
  });

  it.each([
    ['ok', "'{failed,ok}'"],
    ['nothing', 'NULL'],
    ['NULL', "'{failed,NULL}'"],
  ])('refuses to retry %s', async (_, argument) => {
    await expect(
      work.query(`SELECT partitioncache.retry_fragments(${argument})`),
    ).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining('cannot be retried'),
    });
    expect(await queued()).toEqual([]);
  });
});
