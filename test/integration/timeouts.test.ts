import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { adminClient } from '../harness/databases.js';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import { type JobSite, pgCronModes, startJobSite } from '../harness/prompt-jobs.js';
import { waitFor } from '../harness/wait-for.js';

// pg_cron's own jobs, the maintenance job among them, on either runtime. A run that has ended starts again at the
// full minute on pg_cron 1.4.
const SETTLED_MS = 90_000;
const TEST_MS = 120_000;

const LIMIT_SECONDS = 2;

describe.each(pgCronModes)('with use_background_workers %s, a run', (workers) => {
  let jobs: JobSite;
  let admin: pg.Client;
  let app: pg.Client;

  beforeAll(async () => {
    jobs = await startJobSite(workers, { parallel: 1, timeoutSeconds: LIMIT_SECONDS });
    admin = await adminClient(jobs.site.database, jobs.cluster);
    app = await connectAs(jobs.settings.client);
    await admin.query(`
      CREATE TABLE gate (closed boolean);
      CREATE TABLE locked (id integer);
      CREATE FUNCTION swallows(cancels integer) RETURNS integer LANGUAGE plpgsql AS $$
        BEGIN
          FOR i IN 1 .. cancels + 1 LOOP
            BEGIN
              PERFORM pg_sleep(600);
            EXCEPTION WHEN query_canceled THEN
              IF i > cancels THEN RAISE; END IF;
            END;
          END LOOP;
          RETURN 1;
        END $$;
      GRANT SELECT ON gate, locked TO PUBLIC`);
    return () => admin.end();
  });

  it(
    'times fragments out within two seconds of the limit, whatever they do, and goes on',
    async () => {
      const locker = await adminClient(jobs.site.database, jobs.cluster);
      await locker.query('BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE');
      const overdue = [
        fragment('2 sleeps', 'SELECT 1 FROM pg_sleep(600)'),
        fragment(
          '3 computes',
          'SELECT count(*) FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b',
        ),
        fragment('4 waits for a lock', 'SELECT id FROM locked'),
      ];
      // The backend is a key as well: the same one before and after means one run.
      const pids = ['1 before', '5 after'].map((hash) => fragment(hash, 'SELECT pg_backend_pid()'));
      await enqueue(app, jobs.settings, [...pids, ...overdue]);
      await settled([...pids, ...overdue]);
      await locker.end();

      for (const { hash } of overdue) {
        const [log] = await logOf(hash);
        expect(log).toMatchObject({ hash, status: 'timeout', known: 'timeout' });
        expect(log.ms, hash).toBeGreaterThanOrEqual(LIMIT_SECONDS * 1000);
        expect(log.ms, hash).toBeLessThan((LIMIT_SECONDS + 2) * 1000);
      }
      const { rows } = await app.query(
        "SELECT query_hash, partition_keys FROM my_cache_cache_zipcode WHERE query_hash IN ('1 before', '5 after') ORDER BY 1",
      );
      expect(rows.map(({ query_hash }) => query_hash)).toEqual(['1 before', '5 after']);
      expect(rows[1].partition_keys).toEqual(rows[0].partition_keys);
    },
    TEST_MS,
  );

  it(
    'puts back what an operator cancels, and works on it again',
    async () => {
      await setTimeoutSeconds(1800);
      await admin.query('INSERT INTO gate VALUES (true)');
      const cancelled = fragment(
        'cancelled',
        'SELECT 7 FROM pg_sleep(CASE WHEN EXISTS (SELECT FROM gate) THEN 600 ELSE 0 END)',
      );
      await enqueue(app, jobs.settings, [cancelled]);
      const pid = await waitFor('the fragment asleep', () => sleeperAtTheGate(), {
        deadlineMs: SETTLED_MS,
      });
      // It has seen the gate closed; the next attempt must find it open.
      await admin.query('DELETE FROM gate');
      const operator = await connectAs({ ...jobs.settings.cron, database: jobs.site.database });
      await operator.query('SELECT pg_cancel_backend($1)', [pid]);
      await settled([cancelled]);
      await setTimeoutSeconds(LIMIT_SECONDS);
      expect(await logOf('cancelled')).toEqual([
        expect.objectContaining({ status: 'success', known: 'ok' }),
      ]);
    },
    2 * TEST_MS,
  );

  it(
    'ends a fragment that swallows a cancel',
    async () => {
      const stubborn = fragment('stubborn', 'SELECT swallows(1)');
      await enqueue(app, jobs.settings, [stubborn]);
      await settled([stubborn]);
      expect(await logOf('stubborn')).toMatchObject([{ status: 'timeout', known: 'timeout' }]);
    },
    TEST_MS,
  );

  it(
    'ends a fragment that swallows every cancel, and the queue goes on',
    async () => {
      const deaf = fragment('deaf', 'SELECT swallows(1000)');
      const next = fragment('next', 'SELECT 1');
      await enqueue(app, jobs.settings, [deaf, next]);
      await settled([deaf, next], 2 * SETTLED_MS);
      const [log] = await logOf('deaf');
      expect(['timeout', 'failed']).toContain(log?.known);
      expect(await logOf('next')).toMatchObject([{ status: 'success', known: 'ok' }]);
    },
    2 * TEST_MS,
  );

  async function settled(fragments: readonly Fragment[], deadlineMs = SETTLED_MS) {
    await waitFor(
      'an empty queue',
      async () =>
        (
          await app.query(
            `SELECT hash FROM ${tablesOf(jobs.settings).fragmentQueue} WHERE hash = ANY ($1)`,
            [fragments.map(({ hash }) => hash)],
          )
        ).rows.map(({ hash }) => hash),
      { deadlineMs, until: (queued) => queued.length === 0 },
    );
  }

  async function logOf(hash: string) {
    const { processorLog, queries } = tablesOf(jobs.settings);
    const { rows } = await app.query(
      `SELECT query_hash AS hash, log.status, execution_time_ms::float8 AS ms, known.status AS known
         FROM ${processorLog} AS log LEFT JOIN ${queries} AS known USING (query_hash, partition_key)
        WHERE query_hash = $1 ORDER BY log.id`,
      [hash],
    );
    return rows;
  }

  async function setTimeoutSeconds(seconds: number) {
    await app.query(`UPDATE ${tablesOf(jobs.settings).processorConfig} SET timeout_seconds = $1`, [
      seconds,
    ]);
  }

  async function sleeperAtTheGate(): Promise<number | undefined> {
    const { rows } = await admin.query(
      `SELECT activity.pid FROM pg_stat_activity AS activity JOIN pg_locks USING (pid)
        WHERE relation = 'gate'::regclass AND usename = $1 AND wait_event = 'PgSleep'`,
      [jobs.site.cronRole.name],
    );
    return rows[0]?.pid;
  }
});

function fragment(hash: string, query: string): Fragment {
  return { hash, key: 'zipcode', datatype: 'integer', query };
}
