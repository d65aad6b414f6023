import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { adminClient } from '../harness/databases.js';
import { connectAs, enqueue, type Fragment } from '../harness/deployment.js';
import {
  type ManualSite,
  outcomeOf,
  processInOneRun,
  startManualSite,
} from '../harness/manual-site.js';
import { type JobSite, startJobSite } from '../harness/prompt-jobs.js';
import { makeTinyFilesystem } from '../harness/tiny-filesystem.js';
import { waitFor } from '../harness/wait-for.js';

// A cache table that is gone, has another shape or is out of space costs its own fragments, but not the run.

describe('a run', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startManualSite();
    await it_.work.query(`
      UPDATE partitioncache.settings SET retry_backoff_seconds = 0;
      CREATE TABLE gate (closed boolean);
      CREATE FUNCTION passes_gate() RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
          WHILE EXISTS (SELECT FROM gate) LOOP
            PERFORM pg_sleep(0.02);
          END LOOP;
          RETURN 11;
        END $$;
      GRANT SELECT ON gate TO PUBLIC`);
  });

  it.each([
    ['its cache table', ['DROP TABLE my_cache_cache_zipcode']],
    [
      'its cache table and the metadata',
      [
        'DROP TABLE my_cache_cache_zipcode',
        "DELETE FROM my_cache_partition_metadata WHERE partition_key = 'zipcode'",
      ],
    ],
  ])('goes on when a client drops %s while a fragment is evaluated', async (what, drops) => {
    const before = fragment(`before ${what} goes`, 'SELECT 1');
    await processInOneRun(it_, [before]);
    const during = fragment(`during ${what} goes`, 'SELECT passes_gate()');
    const next = fragment(`next to ${what}`, 'SELECT 2');
    await it_.work.query('INSERT INTO gate VALUES (true)');
    await processInOneRun(it_, [during, next], async (pid) => {
      await waitFor('the fragment at the gate', () => isAtTheGate(pid), { deadlineMs: 20_000 });
      const owner = await connectAs(it_.settings.work);
      const { rows } = await owner.query('SELECT pg_backend_pid() AS pid');
      const dropped = owner.query(`BEGIN; ${drops.join('; ')}; COMMIT`);
      await waitFor('the drop done or waiting', () => isDroppedOrWaiting(rows[0].pid), {
        deadlineMs: 20_000,
      });
      await it_.work.query('DELETE FROM gate');
      await dropped;
    });
    const { status, logged, error } = await outcomeOf(it_, during);
    if (status === 'ok') expect(logged).toBe('success');
    else expect(error).toMatch(/^[0-9A-Z]{5}: ./);
    expect((await outcomeOf(it_, next)).logged).toMatch(/success|failed/);

    // Once queued again, all are in the table that was created again.
    await processInOneRun(it_, [before, during, next]);
    const { rows } = await it_.app.query(
      'SELECT query_hash AS hash, partition_keys AS keys FROM my_cache_cache_zipcode WHERE query_hash = ANY ($1) ORDER BY 1',
      [[before.hash, during.hash, next.hash]],
    );
    expect(rows).toEqual([
      { hash: before.hash, keys: [1] },
      { hash: during.hash, keys: [11] },
      { hash: next.hash, keys: [2] },
    ]);
  });

  it.each([
    ['a column of another type', 'query_hash text PRIMARY KEY, partition_keys uuid[]'],
    ['a column of another name', 'query_hash text PRIMARY KEY, keys integer[]'],
    [
      'a column that wants a value',
      'query_hash text PRIMARY KEY, partition_keys integer[], more integer NOT NULL',
    ],
    [
      'a check that keeps the set out',
      'query_hash text PRIMARY KEY, partition_keys integer[] CHECK (partition_keys IS NULL)',
    ],
    ['no key to upsert by', 'query_hash text, partition_keys integer[]'],
  ])(
    'fails the fragment of a cache table with %s, saying why, and goes on',
    async (what, columns) => {
      const key = what.replaceAll(' ', '_');
      await it_.work.query(`
      CREATE TABLE my_cache_cache_${key} (${columns});
      GRANT ALL ON my_cache_cache_${key} TO PUBLIC;
      INSERT INTO my_cache_partition_metadata (partition_key, datatype) VALUES ('${key}', 'integer')`);
      const unfit = { ...fragment(`1 ${what}`, 'SELECT 1'), key };
      const next = fragment(`2 ${what}`, 'SELECT 2');
      await processInOneRun(it_, [unfit, next]);
      expect(await outcomeOf(it_, unfit)).toEqual({
        status: 'failed',
        logged: 'failed',
        error: expect.stringMatching(/^(42|23)[0-9A-Z]{3}: ./),
        queued: false,
      });
      expect(await outcomeOf(it_, next)).toMatchObject({ status: 'ok' });
    },
  );

  it('fails the fragment of a cache table that it may not write, saying why, and goes on', async () => {
    await it_.work.query(
      'CREATE TABLE my_cache_cache_private (query_hash text PRIMARY KEY, partition_keys integer[])',
    );
    await it_.app.query("INSERT INTO my_cache_partition_metadata VALUES ('private', 'integer')");
    const shut = { ...fragment('1 private', 'SELECT 1'), key: 'private' };
    const next = fragment('2 private', 'SELECT 2');
    await processInOneRun(it_, [shut, next]);
    expect(await outcomeOf(it_, shut)).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/^42501: permission denied for table my_cache_cache_private/),
    });
    expect(await outcomeOf(it_, next)).toMatchObject({ status: 'ok' });
  });

  async function isAtTheGate(pid: number): Promise<boolean> {
    const { rowCount } = await it_.work.query(
      "SELECT FROM pg_locks WHERE pid = $1 AND relation = 'gate'::regclass",
      [pid],
    );
    return rowCount !== 0;
  }

  async function isDroppedOrWaiting(pid: number): Promise<boolean> {
    const { rows } = await it_.work.query(
      `SELECT to_regclass('my_cache_cache_zipcode') IS NULL
              OR EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted) AS so`,
      [pid],
    );
    return rows[0].so;
  }
});

describe('a full disk', () => {
  let jobs: JobSite;
  let admin: pg.Client;
  let app: pg.Client;

  beforeAll(async () => {
    jobs = await startJobSite('off', { parallel: 1 });
    admin = await adminClient(jobs.site.database, jobs.cluster);
    app = await connectAs(jobs.settings.client);
    await admin.query('UPDATE partitioncache.settings SET retry_backoff_seconds = 0');
    return () => admin.end();
  });

  it('fails the fragment with 53100; the run goes on, and once there is space again it is cached', async ({
    skip,
  }) => {
    const tiny = await makeTinyFilesystem(jobs.cluster, 3);
    if (typeof tiny === 'string') return skip(tiny);
    try {
      await app.query(
        "SELECT partitioncache_bootstrap_partition('my_cache', 'zipcode', 'integer', 'array')",
      );
      await admin.query(`CREATE TABLESPACE tiny LOCATION '${tiny.directory}'`);
      await admin.query(
        'ALTER TABLE my_cache_cache_zipcode ALTER partition_keys SET STORAGE EXTERNAL',
      );
      await admin.query('ALTER TABLE my_cache_cache_zipcode SET TABLESPACE tiny');
      // Six megabytes.
      const large = fragment('1 large', 'SELECT generate_series(1, 1500000)');
      const next = { ...fragment('2 next', 'SELECT 2'), key: 'elsewhere' };
      await enqueue(app, jobs.settings, [large, next]);
      expect(await endOf(large)).toMatchObject({
        status: 'failed',
        logged: 'failed',
        error: expect.stringMatching(/^53100: /),
      });
      expect(await endOf(next)).toMatchObject({ status: 'ok' });

      await tiny.makeRoom();
      await enqueue(app, jobs.settings, [large]);
      expect(await endOf(large)).toMatchObject({ status: 'ok', logged: 'success' });
      const { rows } = await app.query(
        'SELECT partition_keys_count AS count FROM my_cache_cache_zipcode',
      );
      expect(rows).toEqual([{ count: 1_500_000 }]);
    } finally {
      await admin.query('DROP TABLE IF EXISTS my_cache_cache_zipcode');
      await admin.query('DROP TABLESPACE IF EXISTS tiny');
      await tiny.remove();
    }
  }, 240_000);

  function endOf(wanted: Fragment) {
    const site = { work: app, settings: jobs.settings };
    return waitFor(`an end of ${wanted.hash}`, () => outcomeOf(site, wanted), {
      deadlineMs: 90_000,
      until: ({ queued }) => !queued,
    });
  }
});

function fragment(hash: string, query: string): Fragment {
  return { hash, key: 'zipcode', datatype: 'integer', query };
}
