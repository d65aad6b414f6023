import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
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

// Runs by hand, with the privileges of the cron role, so that nothing depends on when pg_cron starts a job.
// jobs.test.ts shows that pg_cron's own jobs do the same.

interface Bench {
  site: TestSite;
  settings: Settings;
  app: pg.Client;
  cronRole: pg.Client;
  work: pg.Client;
}

async function bench(environment: NodeJS.ProcessEnv): Promise<Bench> {
  const site = await createSite();
  const settings = site.settings(environment);
  await setUp(settings, { enable: false, parallel: 1 });
  return {
    site,
    settings,
    app: await connectAs(settings.client),
    cronRole: await connectAs({ ...settings.cron, database: site.database }),
    work: await connectAs(settings.work),
  };
}

async function process({ settings, app, cronRole }: Bench, fragments: readonly Fragment[]) {
  await enqueue(app, settings, fragments);
  return runProcessor(cronRole, settings, defaultJobName(settings), 1000);
}

async function statusOf({ work, settings }: Bench, hash: string) {
  const { rows } = await work.query(
    `SELECT known.status, log.status AS logged, log.error_message AS error, log.rows_affected AS rows,
            log.execution_source AS source
       FROM ${tablesOf(settings).processorLog} AS log
       LEFT JOIN ${tablesOf(settings).queries} AS known USING (query_hash, partition_key)
      WHERE query_hash = $1 ORDER BY log.id DESC LIMIT 1`,
    [hash],
  );
  return rows[0];
}

async function queued({ work, settings }: Bench): Promise<number> {
  const { rows } = await work.query(
    `SELECT count(*)::int AS count FROM ${tablesOf(settings).fragmentQueue}`,
  );
  return rows[0].count;
}

describe('the array cache', () => {
  let it_: Bench;

  beforeAll(async () => {
    it_ = await bench({});
    await it_.work.query('CREATE TABLE secrets (id integer)');
  });

  it.each([
    ['zipcode', 'integer', 'SELECT zipcode FROM pois', 'integer[]'],
    ['area', 'integer', 'SELECT area FROM pois', 'bigint[]'],
    ['price', 'float', 'SELECT price FROM pois', 'numeric[]'],
    ['city', 'text', "SELECT city FROM pois WHERE city <> 'DELETE '", 'text[]'],
    ['opened', 'timestamp', 'SELECT opened FROM pois', 'timestamp without time zone[]'],
  ])('of %s holds what the direct query returns', async (key, datatype, query, type) => {
    await process(it_, [{ hash: `all ${key}`, key, datatype, query }]);
    const { rows } = await it_.app.query(
      `SELECT partition_keys = ARRAY(SELECT DISTINCT k FROM (${query}) AS direct (k) WHERE k IS NOT NULL ORDER BY 1) AS equal,
              partition_keys_count = cardinality(partition_keys) AS counted,
              pg_typeof(partition_keys)::text AS type
         FROM my_cache_cache_${key} WHERE query_hash = $1`,
      [`all ${key}`],
    );
    expect(rows).toEqual([{ equal: true, counted: true, type }]);
    expect(await statusOf(it_, `all ${key}`)).toMatchObject({
      status: 'ok',
      logged: 'success',
      source: 'manual',
    });
  });

  it('stores an empty result as an empty set, not as NULL', async () => {
    await process(it_, [
      {
        hash: 'empty',
        key: 'zipcode',
        datatype: 'integer',
        query: 'SELECT zipcode FROM pois WHERE false',
      },
    ]);
    const { rows } = await it_.app.query(
      "SELECT partition_keys FROM my_cache_cache_zipcode WHERE query_hash = 'empty'",
    );
    expect(rows).toEqual([{ partition_keys: [] }]);
  });

  it('takes the datatype from the result if the client gave none', async () => {
    await process(it_, [
      { hash: 'untyped', key: 'day', datatype: null, query: 'SELECT opened::date FROM pois' },
    ]);
    const { rows } = await it_.app.query(
      "SELECT datatype FROM my_cache_partition_metadata WHERE partition_key = 'day'",
    );
    expect(rows).toEqual([{ datatype: 'timestamp' }]);
  });

  it('takes a trailing comment and a trailing semicolon', async () => {
    await process(it_, [
      { hash: 'comment', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 -- one' },
      { hash: 'semicolon', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 ;\n' },
    ]);
    expect((await statusOf(it_, 'comment')).status).toBe('ok');
    expect((await statusOf(it_, 'semicolon')).status).toBe('ok');
  });

  it.each([
    ['an unknown column', 'SELECT nope FROM pois', /^42703: column "nope" does not exist/],
    ['two columns', 'SELECT zipcode, id FROM pois', /^42601: subquery must return only one column/],
    ['a write', 'DELETE FROM pois RETURNING zipcode', /^42601/],
    [
      'a second statement',
      'SELECT 1) AS a LIMIT 0)); DELETE FROM pois; SELECT ((SELECT * FROM (SELECT 1',
      /^42601: syntax error/,
    ],
    [
      'another type',
      'SELECT city FROM pois',
      /^42804: the fragment returns text, but the partition key holds integer/,
    ],
    [
      'a fraction',
      'SELECT price FROM pois',
      /^42804: the fragment returns numeric, but the partition key holds integer/,
    ],
    [
      'a table the cron role may not read',
      'SELECT id FROM secrets',
      /^42501: permission denied for table secrets/,
    ],
  ])('refuses %s with its reason, and goes on', async (what, query, reason) => {
    await process(it_, [
      { hash: what, key: 'zipcode', datatype: 'integer', query },
      { hash: `${what}, then`, key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
    ]);
    const failed = await statusOf(it_, what);
    expect(failed).toMatchObject({ status: 'failed', logged: 'failed' });
    expect(failed.error).toMatch(reason);
    expect((await statusOf(it_, `${what}, then`)).status).toBe('ok');
    expect(await queued(it_)).toBe(0);
  });

  it('lets a fragment neither write by a function nor change the session for the next', async () => {
    await it_.work.query(`
      CREATE TABLE IF NOT EXISTS witness (note text);
      CREATE OR REPLACE FUNCTION sneak() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS
        $$ BEGIN INSERT INTO witness VALUES ('written'); RETURN 1; END $$`);
    await process(it_, [
      { hash: 'sneak', key: 'zipcode', datatype: 'integer', query: 'SELECT sneak()' },
      {
        hash: 'setting',
        key: 'zipcode',
        datatype: 'integer',
        query: "SELECT 2 FROM set_config('search_path', 'nowhere', false)",
      },
      { hash: 'after', key: 'zipcode', datatype: 'integer', query: 'SELECT zipcode FROM pois' },
    ]);
    expect((await statusOf(it_, 'sneak')).error).toMatch(/^25006: .*read-only transaction/);
    expect((await it_.work.query('SELECT FROM witness')).rowCount).toBe(0);
    expect((await statusOf(it_, 'after')).status).toBe('ok');
  });

  it('applies result_limit: at the limit stored, above it known to be of no use', async () => {
    const config = tablesOf(it_.settings).processorConfig;
    await it_.work.query(`UPDATE ${config} SET result_limit = 20`);
    await process(it_, [
      { hash: 'twenty', key: 'city', datatype: 'text', query: 'SELECT city FROM pois' },
      { hash: 'many', key: 'zipcode', datatype: 'integer', query: 'SELECT zipcode FROM pois' },
    ]);
    await it_.work.query(`UPDATE ${config} SET result_limit = NULL`);
    expect(await statusOf(it_, 'twenty')).toMatchObject({ status: 'ok', rows: 20 });
    expect(await statusOf(it_, 'many')).toMatchObject({
      status: 'limit',
      logged: 'success',
      error: 'more than result_limit = 20 keys',
    });
    const { rows } = await it_.app.query(
      "SELECT partition_keys FROM my_cache_cache_zipcode WHERE query_hash = 'many'",
    );
    expect(rows).toEqual([{ partition_keys: null }]);
  });

  it.each([
    ['nothing_integer', 'SELECT zipcode FROM pois WHERE false', 'integer[]'],
    ['nothing_bigint', 'SELECT area FROM pois WHERE false', 'bigint[]'],
    ['nothing_float', 'SELECT price FROM pois WHERE false', 'numeric[]'],
  ])(
    'creates the table of a new partition by type, also for an empty result: %s',
    async (key, query, type) => {
      await process(it_, [{ hash: `first of ${key}`, key, datatype: null, query }]);
      const { rows } = await it_.work.query(
        `SELECT format_type(atttypid, atttypmod) AS type FROM pg_attribute
        WHERE attrelid = $1::regclass AND attname = 'partition_keys'`,
        [`my_cache_cache_${key}`],
      );
      expect(rows).toEqual([{ type }]);
    },
  );

  it('skips what is cached, and evaluates again what was evicted', async () => {
    const fragment = { hash: 'twice', key: 'zipcode', datatype: 'integer', query: 'SELECT 5' };
    await process(it_, [fragment]);
    await process(it_, [fragment]);
    expect(await statusOf(it_, 'twice')).toMatchObject({ status: 'ok', logged: 'skipped' });
    await it_.app.query("DELETE FROM my_cache_cache_zipcode WHERE query_hash = 'twice'");
    await process(it_, [fragment]);
    expect(await statusOf(it_, 'twice')).toMatchObject({ status: 'ok', logged: 'success' });
  });

  it('keeps a failed fragment that is queued again in the queue until its backoff is over', async () => {
    const fragment = {
      hash: 'again',
      key: 'zipcode',
      datatype: 'integer',
      query: 'SELECT later FROM pois',
    };
    await process(it_, [fragment]);
    expect((await process(it_, [fragment])).processed).toBe(0);
    expect(await queued(it_)).toBe(1);
    await it_.work.query('UPDATE partitioncache.settings SET retry_backoff_seconds = 0');
    expect((await process(it_, [])).outcomes).toEqual({ failed: 1 });
    await it_.work.query('UPDATE partitioncache.settings SET retry_backoff_seconds = 300');
    expect(await queued(it_)).toBe(0);
  });

  it('cancels a fragment at its timeout, says so, and goes on', async () => {
    const config = tablesOf(it_.settings).processorConfig;
    await it_.work.query(`UPDATE ${config} SET timeout_seconds = 1`);
    const { outcomes } = await process(it_, [
      { hash: 'slow', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 FROM pg_sleep(30)' },
      { hash: 'quick', key: 'zipcode', datatype: 'integer', query: 'SELECT 1' },
    ]);
    await it_.work.query(`UPDATE ${config} SET timeout_seconds = 1800`);
    expect(outcomes).toEqual({ timeout: 1, ok: 1 });
    expect(await statusOf(it_, 'slow')).toMatchObject({
      status: 'timeout',
      logged: 'timeout',
      error: '57014: cancelled after timeout_seconds = 1',
    });
  });

  it('times a fragment out by the current timeout, if it was lowered meanwhile', async () => {
    const config = tablesOf(it_.settings).processorConfig;
    await enqueue(it_.app, it_.settings, [
      { hash: 'lowered', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 FROM pg_sleep(60)' },
    ]);
    const runner = await connectAs({ ...it_.settings.cron, database: it_.site.database });
    const { rows } = await runner.query('SELECT pg_backend_pid() AS pid');
    const run = runner.query('CALL partitioncache.process_now($1, NULL)', [
      defaultJobName(it_.settings),
    ]);
    await waitFor(
      'a fragment at work for over a second',
      async () =>
        (
          await it_.work.query(
            "SELECT FROM partitioncache.active_items WHERE running_for > interval '1.1 s'",
          )
        ).rowCount,
      { deadlineMs: 20_000 },
    );
    await it_.work.query(`UPDATE ${config} SET timeout_seconds = 1`);
    await it_.cronRole.query('SELECT pg_cancel_backend($1)', [rows[0].pid]);
    expect((await run).rows).toEqual([{ p_outcome: 'timeout' }]);
    await it_.work.query(`UPDATE ${config} SET timeout_seconds = 1800`);
  });

  it('keeps the maintenance going while it is disabled, for what was started before', async () => {
    const { rows } = await it_.cronRole.query(
      `SELECT partitioncache.maintenance_goes_on(started, clock_timestamp()) AS needed,
              partitioncache.maintenance_goes_on(started, started) AS idle,
              partitioncache.maintenance_goes_on(started, NULL) AS never_needed,
              partitioncache.maintenance_goes_on(clock_timestamp(), NULL) AS fresh,
              partitioncache.maintenance_goes_on(started - interval '1 min', clock_timestamp()) AS old
         FROM (SELECT clock_timestamp() - interval '11 s' AS started) AS run`,
    );
    expect(rows).toEqual([
      { needed: true, idle: false, never_needed: false, fresh: true, old: false },
    ]);
  });

  it('gives back what a run that died was working on, and sets it aside after max_attempts', async () => {
    await enqueue(it_.app, it_.settings, [
      { hash: 'deadly', key: 'zipcode', datatype: 'integer', query: 'SELECT 1 FROM pg_sleep(60)' },
    ]);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const victim = await connectAs({ ...it_.settings.cron, database: it_.site.database });
      const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
      const run = victim
        .query('CALL partitioncache.process_now($1, NULL)', [defaultJobName(it_.settings)])
        .catch((error) => error);
      await waitForActive(it_, 'deadly');
      await it_.cronRole.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
      expect((await run).code).toBe('57P01');
      await waitForEnd(it_.cronRole, rows[0].pid);
      await it_.cronRole.query('SELECT partitioncache.release_dead_batches()');
      expect(await queued(it_)).toBe(attempt < 3 ? 1 : 0);
    }
    const { status, error } = await statusOf(it_, 'deadly');
    expect(status).toBe('failed');
    expect(error).toMatch(/^set aside after 3 attempts; the last one: the backend \d+ .* is gone$/);
  });

  it('shows what is at work while it is', async () => {
    const busy = process(it_, [
      { hash: 'visible', key: 'zipcode', datatype: 'integer', query: 'SELECT 9 FROM pg_sleep(2)' },
    ]);
    await waitForActive(it_, 'visible');
    const { rows } = await it_.work.query(
      "SELECT query_hash, slot, running_for > interval '0' AS running FROM partitioncache.active_items",
    );
    expect(rows).toEqual([{ query_hash: 'visible', slot: 0, running: true }]);
    await busy;
    expect((await it_.work.query('SELECT FROM partitioncache.active_items')).rowCount).toBe(0);
  });
});

async function waitForActive({ work }: Bench, hash: string): Promise<void> {
  await waitFor(
    `fragment ${hash} at work`,
    async () =>
      (await work.query('SELECT FROM partitioncache.active_items WHERE query_hash = $1', [hash]))
        .rowCount,
    { deadlineMs: 20_000 },
  );
}

async function waitForEnd(client: pg.Client, pid: number): Promise<void> {
  await waitFor(
    `the end of backend ${pid}`,
    async () =>
      (await client.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).rowCount === 0,
    { deadlineMs: 20_000 },
  );
}

describe('the bit cache', () => {
  let it_: Bench;

  beforeAll(async () => {
    it_ = await bench({
      CACHE_BACKEND: 'postgresql_bit',
      PG_BIT_CACHE_TABLE_PREFIX: 'my_bits',
    });
  });

  it('holds exactly the bits of the keys', async () => {
    await process(it_, [
      {
        hash: 'some',
        key: 'zipcode',
        datatype: 'integer',
        query: 'SELECT k FROM (VALUES (0), (3), (3), (NULL), (999)) AS v (k)',
      },
      {
        hash: 'none',
        key: 'zipcode',
        datatype: 'integer',
        query: 'SELECT zipcode FROM pois WHERE false',
      },
    ]);
    const { rows } = await it_.app.query(
      `SELECT query_hash, length(partition_keys) AS bits, partition_keys_count AS set,
              ARRAY(SELECT i FROM generate_series(0, length(partition_keys) - 1) AS i WHERE get_bit(partition_keys, i) = 1) AS keys
         FROM my_bits_cache_zipcode ORDER BY query_hash`,
    );
    expect(rows).toEqual([
      { query_hash: 'none', bits: 1000, set: 0, keys: [] },
      { query_hash: 'some', bits: 1000, set: 3, keys: [0, 3, 999] },
    ]);
  });

  it('grows when a key does not fit, and keeps and counts its rows', async () => {
    await process(it_, [
      { hash: 'wide', key: 'zipcode', datatype: 'integer', query: 'SELECT 5000 UNION SELECT 1' },
    ]);
    const { rows } = await it_.app.query(
      `SELECT query_hash, length(partition_keys) AS bits, partition_keys_count AS set, get_bit(partition_keys, 5000) AS far
         FROM my_bits_cache_zipcode ORDER BY query_hash`,
    );
    expect(rows).toEqual([
      { query_hash: 'none', bits: 5001, set: 0, far: 0 },
      { query_hash: 'some', bits: 5001, set: 3, far: 0 },
      { query_hash: 'wide', bits: 5001, set: 2, far: 1 },
    ]);
    const metadata = await it_.app.query('SELECT bitsize FROM my_bits_partition_metadata');
    expect(metadata.rows).toEqual([{ bitsize: 5001 }]);
  });

  it('grows although a trigger of the client refuses to widen a table that has rows', async () => {
    await it_.work.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not with rows'; END $$;
      CREATE TRIGGER clients_own AFTER UPDATE OF bitsize ON my_bits_partition_metadata
        FOR EACH ROW EXECUTE FUNCTION refuse()`);
    await process(it_, [
      { hash: 'wider', key: 'zipcode', datatype: 'integer', query: 'SELECT 7500' },
    ]);
    expect(await statusOf(it_, 'wider')).toMatchObject({ status: 'ok', logged: 'success' });
    const { rows } = await it_.work.query(
      `SELECT tgname, tgenabled FROM pg_trigger
        WHERE tgrelid = 'my_bits_partition_metadata'::regclass AND NOT tgisinternal ORDER BY tgname`,
    );
    expect(rows).toEqual([
      { tgname: 'clients_own', tgenabled: 'O' },
      { tgname: 'pcache_widen', tgenabled: 'O' },
    ]);
    await it_.work.query('DROP FUNCTION refuse() CASCADE');
  });

  it('widens when the client raises bitsize, and refuses to shrink', async () => {
    await it_.app.query(
      "UPDATE my_bits_partition_metadata SET bitsize = 12000 WHERE partition_key = 'zipcode'",
    );
    const { rows } = await it_.app.query(
      "SELECT length(partition_keys) AS bits, partition_keys_count AS set FROM my_bits_cache_zipcode WHERE query_hash = 'wide'",
    );
    expect(rows).toEqual([{ bits: 12000, set: 2 }]);
    await expect(
      it_.app.query(
        "UPDATE my_bits_partition_metadata SET bitsize = 10 WHERE partition_key = 'zipcode'",
      ),
    ).rejects.toThrow('cannot shrink from 12000 to 10');
  });

  it.each([
    [
      'a negative key',
      'SELECT -5',
      /^22003: key -5 cannot be stored in a bit cache: keys start at 0/,
    ],
    [
      'a key no bit string has',
      'SELECT 5000000000',
      /^22003: key 5000000000 is too large for a bit cache/,
    ],
    [
      'text',
      "SELECT 'a'::text",
      /^42804: the fragment returns text, but the partition key holds integer/,
    ],
  ])('refuses %s with its reason', async (what, query, reason) => {
    await process(it_, [{ hash: what, key: 'zipcode', datatype: 'integer', query }]);
    const failed = await statusOf(it_, what);
    expect(failed.status).toBe('failed');
    expect(failed.error).toMatch(reason);
  });
});
