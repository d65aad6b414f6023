import type pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { adminClient, createRole } from '../harness/databases.js';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import type { ManualSite } from '../harness/manual-site.js';
import { startSiteWithoutJobs } from '../harness/manual-site.js';
import { waitFor } from '../harness/wait-for.js';

// A client's run by hand claims by the locks of the queue's rows and writes nothing that others read: it and the
// processor must leave each other's fragments alone all the same.
describe('a run by hand of a client', () => {
  let it_: ManualSite;
  let job: string;
  let tables: ReturnType<typeof tablesOf>;
  let second: pg.Client;

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
    job = defaultJobName(it_.settings);
    tables = tablesOf(it_.settings);
    second = await connectAs(it_.settings.client);
    await it_.work.query(`UPDATE ${tables.processorConfig} SET frequency_seconds = 3600`);
    // A new partition belongs to the transaction that creates it, and others would wait for that.
    await it_.work.query(
      "SELECT partitioncache.bootstrap_partition('zipcode', 'integer', NULL, false)",
    );
  });

  beforeEach(async () => {
    await it_.work.query(
      `TRUNCATE ${tables.fragmentQueue}, ${tables.queries}, ${tables.processorLog};
       TRUNCATE partitioncache.batch, partitioncache.attempt, partitioncache.slot`,
    );
    await enqueue(it_.app, it_.settings, ['a', 'b', 'c', 'd', 'e', 'f'].map(fragment));
  });

  afterEach(async () => {
    for (const client of [it_.app, second]) await client.query('ROLLBACK');
  });

  const fragment = (hash: string): Fragment => ({
    hash,
    key: 'zipcode',
    datatype: 'integer',
    query: `SELECT zipcode FROM pois WHERE city < '${hash}'`,
  });

  const byHand = async (client: pg.Client, count = 100) =>
    (await client.query('SELECT partitioncache.process_batch($1, $2) AS count', [job, count]))
      .rows[0].count as number;

  /** One run of slot 1 to its end, as pg_cron starts it. */
  async function runSlot() {
    await it_.work.query(`UPDATE ${tables.processorConfig} SET enabled = true`);
    await it_.cronRole.query('CALL partitioncache.run_processor($1, 1)', [job]);
    await it_.work.query('UPDATE partitioncache.slot SET next_due = DEFAULT');
  }

  const column = async (text: string) =>
    (await it_.work.query({ text, rowMode: 'array' })).rows.map(([value]) => value as string);
  const queued = () => column(`SELECT hash FROM ${tables.fragmentQueue} ORDER BY 1`);
  const logged = () =>
    column(`SELECT query_hash || ' ' || status FROM ${tables.processorLog} ORDER BY id`);

  it('keeps what it has processed from the processor until it commits', async () => {
    await it_.app.query('BEGIN');
    expect(await byHand(it_.app, 2)).toBe(2);
    await runSlot();
    expect(await queued()).toEqual(['a', 'b']);
    expect(await logged()).toEqual(['c', 'd', 'e', 'f'].map((hash) => `${hash} success`));
    await it_.app.query('COMMIT');
    expect(await queued()).toEqual([]);
    await runSlot();
    expect((await logged()).sort()).toEqual(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((hash) => `${hash} success`),
    );
  });

  it('gives all of it back when it is rolled back', async () => {
    await it_.app.query('BEGIN');
    expect(await byHand(it_.app)).toBe(6);
    await it_.app.query('ROLLBACK');
    expect(await queued()).toHaveLength(6);
    await runSlot();
    expect(await queued()).toEqual([]);
    expect(await logged()).toHaveLength(6);
  });

  it('leaves what a run has claimed, suspects, and what has to wait', async () => {
    const { cronRole } = it_;
    const { rows } = await cronRole.query('SELECT partitioncache.open_slot($1, 1) AS key', [job]);
    await cronRole.query('SELECT partitioncache.claim_batch($1, 2, NULL, NULL)', [rows[0].key]);
    await it_.work.query(
      `INSERT INTO partitioncache.attempt (query_hash, partition_key, attempts, not_before, last_error, suspect)
       VALUES ('c', 'zipcode', 0, now(), 'x', true), ('d', 'zipcode', 1, now() + interval '1 h', 'x', false),
              ('e', 'zipcode', 1, now(), 'x', false)`,
    );
    expect(await byHand(it_.app)).toBe(2);
    expect(await queued()).toEqual(['a', 'b', 'c', 'd']);
    await cronRole.query('SELECT partitioncache.close_slot($1)', [rows[0].key]);
    expect(await byHand(it_.app)).toBe(2);
    // Its attempt is not the client's to delete; it is forgotten by maintenance.
    const attempts = 'SELECT query_hash FROM partitioncache.attempt ORDER BY 1';
    expect(await column(attempts)).toEqual(['c', 'd', 'e']);
    await cronRole.query('SELECT partitioncache.delete_idle_attempts()');
    expect(await column(attempts)).toEqual(['c', 'd']);
  });

  it('does not shut out another one, which takes other fragments', async () => {
    await it_.app.query('BEGIN');
    await second.query('BEGIN');
    expect(await byHand(it_.app, 4)).toBe(4);
    expect(await byHand(second)).toBe(2);
    await second.query('COMMIT');
    await it_.app.query('COMMIT');
    expect(await queued()).toEqual([]);
    expect(await logged()).toHaveLength(6);
  });

  it('tries a fragment that conflicts with others once, and sets it aside after three times', async () => {
    await it_.app.query(
      `CREATE OR REPLACE FUNCTION conflict() RETURNS integer LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$`,
    );
    await it_.work.query(
      `UPDATE ${tables.fragmentQueue} SET query = 'SELECT conflict()', priority = 9 WHERE hash IN ('b', 'e')`,
    );
    expect(await byHand(it_.app, 1000)).toBe(6);
    expect(await queued()).toEqual(['b', 'e']);
    expect((await logged()).filter((line) => line.endsWith('success'))).toHaveLength(4);
    expect((await logged()).slice(0, 2)).toEqual(['b started', 'e started']);
    expect(await column('SELECT query_hash FROM partitioncache.attempt')).toEqual([]);
    await waitFor(
      'both set aside',
      async () => {
        await byHand(it_.app);
        return queued();
      },
      { deadlineMs: 30_000, until: ({ length }) => length === 0 },
    );
    expect((await logged()).filter((line) => line.endsWith('started'))).toHaveLength(6);
    expect(
      await column(`SELECT error_message FROM ${tables.processorLog} WHERE status = 'failed'`),
    ).toEqual(Array(2).fill('set aside after 3 attempts; the last one: 40001: no'));
  });

  it('goes on behind more conflicts than it takes at once', async () => {
    await it_.work.query(`UPDATE ${tables.fragmentQueue} SET query = 'SELECT conflict()'`);
    await enqueue(
      it_.app,
      it_.settings,
      Array.from({ length: 300 }, (_, n) => ({
        ...fragment(`n${n}`),
        query: n < 250 ? 'SELECT conflict()' : 'SELECT 1',
      })),
    );
    expect(await byHand(it_.app, 1000)).toBe(306);
    expect(await queued()).toHaveLength(256);
  });

  it('never asks what somebody else has set up to look like a deployment', async () => {
    const outsider = await createRole('outsider', it_.site.cluster);
    const admin = await adminClient(it_.site.database);
    await admin.query(
      `GRANT CREATE ON DATABASE ${it_.site.database} TO ${outsider.name};
       CREATE TABLE public.heard (role text); GRANT SELECT, INSERT ON public.heard TO PUBLIC`,
    );
    const evil = await connectAs({
      ...it_.settings.work,
      user: outsider.name,
      password: outsider.password,
    });
    const hear = 'INSERT INTO public.heard VALUES (current_user)';
    await evil.query(
      `CREATE SCHEMA aaa_evil; GRANT USAGE ON SCHEMA aaa_evil TO PUBLIC;
       CREATE FUNCTION aaa_evil.hear(text) RETURNS text LANGUAGE plpgsql AS
         $$ BEGIN ${hear}; RETURN $1; END $$;
       CREATE FUNCTION aaa_evil.processor_named(text) RETURNS text LANGUAGE plpgsql AS
         $$ BEGIN ${hear}; RETURN NULL; END $$;
       CREATE TABLE aaa_evil.deployment AS
         SELECT 'q' AS queue_prefix, 'my_cache' AS table_prefix, 'array' AS cache_backend, 'public' AS client_schema;
       CREATE VIEW aaa_evil.service AS
         SELECT queue_prefix, table_prefix, cache_backend, aaa_evil.hear(client_schema) AS client_schema
           FROM aaa_evil.deployment;
       GRANT SELECT ON aaa_evil.deployment, aaa_evil.service TO PUBLIC`,
    );
    await it_.app.query('SELECT * FROM partitioncache_manual_process_queue(1)');
    await it_.app.query(
      "SELECT partitioncache_bootstrap_partition('my_cache', 'zipcode', 'integer', 'array')",
    );
    expect(await column('SELECT role FROM public.heard')).toEqual([]);
    await evil.end();
    await admin.query(`DROP OWNED BY ${outsider.name} CASCADE; DROP TABLE public.heard`);
    await admin.query(`DROP ROLE ${outsider.name}`);
    await admin.end();
  });
});
