import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { connectionConfig } from '../harness/connection.js';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import { type JobSite, pgCronModes, startJobSite } from '../harness/prompt-jobs.js';
import { type Random, seededRandom } from '../harness/random.js';
import { killBackend, stopImmediatelyAndStart } from '../harness/server-crash.js';
import { waitFor } from '../harness/wait-for.js';

// The jobs are pg_cron's own, on either runtime; what startJobSite does for pg_cron 1.4 starts them right after
// a crash there too. PCACHE_CRASH_LOG names a file for the crash log.

const FRAGMENTS = 5000;
const CRASHES = 20;
const RECOVERED_MS = 60_000;
// If a run ends in any way but a crash, pg_cron 1.4 starts it again at the full minute.
const DRAINED_MS = 240_000;
const TEST_MS = 600_000;

describe.each(pgCronModes)('with use_background_workers %s, a server that crashes', (workers) => {
  it(
    `has each of ${FRAGMENTS} fragments queued or cached after each of ${CRASHES} crashes, and all cached in the end`,
    async () => {
      const random = seededRandom();
      const jobs = await startJobSite(workers, { parallel: 3 });
      const log = crashLog(`use_background_workers ${workers}, seed ${random.seed}`);
      let enqueued = await enqueueInnocents(jobs);

      let left = FRAGMENTS;
      for (let index = 0; index < CRASHES; index += 1) {
        const name = `crash ${index + 1} of seed ${random.seed}`;
        const { what, before } = await crash(jobs, index, left - random.integer(0, 300), random);
        expect(before, `before ${name}`).toMatchObject(SOUND);
        expect(before.queued, `queued at ${name}`).toBeGreaterThan(0);
        const after = await atServer(jobs, (admin) => count(admin, jobs));
        await log(`${name}: ${what}; before: ${told(before)}; after: ${told(after)}`);
        expect(after, `after ${name}`).toMatchObject(SOUND);
        // Every crash must hit the drain, however fast the machine is.
        left = after.queued;
        if (left < 1500) {
          enqueued += await atServer(jobs, (admin) => evictAndEnqueue(admin, jobs));
          left = FRAGMENTS;
          await log(`${enqueued} enqueued since the start, after an eviction`);
        }
      }

      const drained = await atServer(jobs, (admin) =>
        waitFor('an empty queue', () => count(admin, jobs), {
          deadlineMs: DRAINED_MS,
          until: ({ queued }) => queued === 0,
        }),
      );
      await log(`drained: ${told(drained)}`);
      expect(drained, `seed ${random.seed}`).toEqual({ ...SOUND, queued: 0, cached: FRAGMENTS });
      expect(await atServer(jobs, wrongSets), `seed ${random.seed}`).toEqual([]);
      expect(await atServer(jobs, (admin) => logged(admin, jobs)), `seed ${random.seed}`).toEqual({
        successes: enqueued,
        others: 0,
        untrue: 0,
      });
    },
    TEST_MS,
  );
});

describe.each(pgCronModes)('with use_background_workers %s, a poison fragment', (workers) => {
  it(
    'is set aside after max_attempts crashes, or one more, and no innocent fragment with it',
    async () => {
      const jobs = await startJobSite(workers, { parallel: 3 });
      await atServer(jobs, createCrashFunction);
      const app = await connectAs(jobs.settings.client);
      const companions = Array.from({ length: 200 }, (_, i) => companion(i));
      await enqueue(app, jobs.settings, [poison, ...companions]);

      const found = await waitFor(
        'an end of all 201',
        () => unlessItCrashes(atServer(jobs, (admin) => outcomes(admin, jobs))),
        { deadlineMs: DRAINED_MS, until: (look) => look?.queued === 0 },
      );
      expect(found).toEqual({
        queued: 0,
        cached: 200,
        failures: [
          { hash: 'deadly', status: 'failed', error: expect.stringMatching(/^set aside after 3 /) },
        ],
      });
      const crashes = (await jobs.cluster.logs()).match(/was terminated by signal 11/g);
      expect(crashes?.length).toBeGreaterThanOrEqual(3);
      expect(crashes?.length).toBeLessThanOrEqual(4);
    },
    TEST_MS,
  );
});

// Each has its own set, so that a set under the wrong hash is noticed.
function innocent(i: number): Fragment {
  return {
    hash: `fragment ${i}`,
    key: 'zipcode',
    datatype: 'integer',
    query: `SELECT zipcode + ${i} FROM pois, pg_sleep(0.006) WHERE id > ${i % 2900} AND id <= ${i % 2900} + 8`,
  };
}

// Some take longer than the poison, so that one of them is at work next to it whenever it strikes.
function companion(i: number): Fragment {
  return {
    ...innocent(i),
    query: `SELECT ${i} FROM pg_sleep(${i % 16 === 7 ? 2 : 0.001})`,
  };
}

// Fragments enqueued together are in the order of their hashes: this one is the first.
const poison: Fragment = {
  hash: 'deadly',
  key: 'zipcode',
  datatype: 'integer',
  query: 'SELECT 1 FROM pg_sleep(1.2) WHERE crash_backend(12345) IS NOT NULL',
};

// A number where C code expects an address: the backend dies of a segmentation fault.
async function createCrashFunction(admin: pg.Client): Promise<void> {
  await admin.query(
    "CREATE FUNCTION crash_backend(integer) RETURNS cstring VOLATILE STRICT LANGUAGE internal AS 'textout'",
  );
}

async function enqueueInnocents({ settings }: JobSite): Promise<number> {
  const app = await connectAs(settings.client);
  await app.query(
    "SELECT partitioncache_bootstrap_partition('my_cache', 'zipcode', 'integer', 'array')",
  );
  const innocents = Array.from({ length: FRAGMENTS }, (_, i) => innocent(i));
  await enqueue(app, settings, innocents);
  return innocents.length;
}

/** Evicts what is cached and queues it again, in one transaction; returns how many. */
async function evictAndEnqueue(admin: pg.Client, { settings }: JobSite): Promise<number> {
  const { fragmentQueue, queries } = tablesOf(settings);
  const { rowCount } = await admin.query(
    `WITH evicted AS (DELETE FROM my_cache_cache_zipcode RETURNING query_hash),
          forgotten AS (DELETE FROM ${queries} AS known USING evicted WHERE known.query_hash = evicted.query_hash RETURNING known.*)
     INSERT INTO ${fragmentQueue} (hash, partition_key, partition_datatype, query)
     SELECT query_hash, partition_key, 'integer', query FROM forgotten`,
  );
  return rowCount ?? 0;
}

async function crash(jobs: JobSite, index: number, queued: number, random: Random) {
  const admin = await login(jobs);
  const ended = new Promise((resolve) => admin.once('end', resolve));
  await waitFor(`at most ${queued} queued and a run at work`, () => atWork(admin, jobs), {
    deadlineMs: DRAINED_MS,
    until: (look) => look.queued <= queued && look.runs.length > 0,
  });
  // This waits for nothing; it lets the crash hit any point of a fragment.
  await sleep(random.integer(0, 200));
  const before = await count(admin, jobs);
  const what =
    index % 2 === 0
      ? await killARun(jobs, admin, random)
      : await stopImmediatelyAndStart(jobs.cluster).then(() => 'pg_ctl stop -m immediate, start');
  await ended;
  return { what, before };
}

function killARun(jobs: JobSite, admin: pg.Client, random: Random): Promise<string> {
  return waitFor(
    'a run that could be killed',
    async () => {
      const { runs } = await atWork(admin, jobs);
      if (runs.length === 0) return '';
      const { pid, slot } = random.pick(runs);
      const killed = await killBackend(jobs.cluster, pid);
      return killed ? `kill -9 of the backend of slot ${slot}` : '';
    },
    { deadlineMs: RECOVERED_MS },
  );
}

async function atWork(
  admin: pg.Client,
  { site, settings }: JobSite,
): Promise<{ queued: number; runs: { pid: number; slot: string }[] }> {
  const { rows } = await admin.query(
    `SELECT (SELECT count(*)::int FROM ${tablesOf(settings).fragmentQueue}) AS queued,
            ARRAY(SELECT json_build_object('pid', pid, 'slot', substring(query FROM '[0-9]+(?=[)])'))
                    FROM pg_stat_activity
                   WHERE usename = $1 AND datname = current_database() AND state = 'active'
                     AND query LIKE '%.run_processor(%') AS runs`,
    [site.cronRole.name],
  );
  return rows[0];
}

/** A session of the administrator in the work database, as soon as the server lets it in. */
async function login({ cluster, site }: JobSite): Promise<pg.Client> {
  return waitFor(
    'a login',
    async () => {
      const client = new pg.Client(connectionConfig(cluster, site.database));
      client.on('error', () => {});
      return client.connect().then(
        () => client,
        () => undefined,
      );
    },
    { deadlineMs: RECOVERED_MS },
  ) as Promise<pg.Client>;
}

async function atServer<T>(jobs: JobSite, act: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = await login(jobs);
  try {
    return await act(admin);
  } finally {
    await admin.end();
  }
}

/** Undefined if the server crashes meanwhile: then there is no SQLSTATE, or one of class 57, operator intervention. */
async function unlessItCrashes<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (error instanceof pg.DatabaseError && !error.code?.startsWith('57')) throw error;
    return undefined;
  }
}

const SOUND = { both: 0, neither: 0, half: 0, notOk: 0 };

type Counts = typeof SOUND & { queued: number; cached: number };

function told({ queued, cached, both, neither, half, notOk }: Counts): string {
  return `${queued} queued, ${cached} cached, ${both} both, ${neither} neither, ${half} half, ${notOk} not ok`;
}

/** All fragments in one snapshot; `half` means a status without a set, or a set without a status. */
async function count(admin: pg.Client, { settings }: JobSite): Promise<Counts> {
  const { fragmentQueue, queries } = tablesOf(settings);
  const { rows } = await admin.query(
    `SELECT count(*) FILTER (WHERE queued)::int AS queued,
            count(*) FILTER (WHERE known AND stored)::int AS cached,
            count(*) FILTER (WHERE queued AND (known OR stored))::int AS both,
            count(*) FILTER (WHERE NOT queued AND NOT (known AND stored))::int AS neither,
            count(*) FILTER (WHERE known <> stored)::int AS half,
            (SELECT count(*)::int FROM ${queries} WHERE status <> 'ok') AS "notOk"
       FROM (SELECT EXISTS (SELECT FROM ${fragmentQueue} AS queue WHERE queue.hash = wanted.hash) AS queued,
                    EXISTS (SELECT FROM ${queries} WHERE query_hash = hash AND status = 'ok') AS known,
                    EXISTS (SELECT FROM my_cache_cache_zipcode WHERE query_hash = hash) AS stored
               FROM (SELECT 'fragment ' || i AS hash FROM generate_series(0, $1::int - 1) AS i) AS wanted
            ) AS found`,
    [FRAGMENTS],
  );
  return rows[0];
}

/** The sets that differ from what the direct queries return. */
async function wrongSets(admin: pg.Client) {
  const { rows } = await admin.query(
    `SELECT query_hash, partition_keys FROM generate_series(0, $1::int - 1) AS i
       LEFT JOIN my_cache_cache_zipcode ON query_hash = 'fragment ' || i
      WHERE ARRAY(SELECT key FROM unnest(partition_keys) AS key ORDER BY key) IS DISTINCT FROM
            ARRAY(SELECT DISTINCT zipcode + i FROM pois
                   WHERE id > i % 2900 AND id <= i % 2900 + 8 AND zipcode IS NOT NULL ORDER BY 1)`,
    [FRAGMENTS],
  );
  return rows;
}

/** What the log says; untrue if it reports a set that is not there, or does not report one that is. */
async function logged(admin: pg.Client, { settings }: JobSite) {
  const { rows } = await admin.query(
    `SELECT count(*) FILTER (WHERE log.status = 'success')::int AS successes,
            count(*) FILTER (WHERE log.status <> 'success' OR execution_source <> 'cron')::int AS others,
            count(*) FILTER (WHERE rows_affected IS DISTINCT FROM partition_keys_count)::int AS untrue
       FROM ${tablesOf(settings).processorLog} AS log FULL JOIN my_cache_cache_zipcode USING (query_hash)`,
  );
  return rows[0];
}

async function outcomes(admin: pg.Client, { settings }: JobSite) {
  const { fragmentQueue, queries, processorLog } = tablesOf(settings);
  const { rows } = await admin.query(
    `SELECT (SELECT count(*)::int FROM ${fragmentQueue}) AS queued,
            (SELECT count(*)::int FROM ${queries} WHERE status = 'ok') AS cached,
            ARRAY(SELECT json_build_object('hash', query_hash, 'status', known.status, 'error', error_message)
                    FROM ${processorLog} AS log FULL JOIN ${queries} AS known USING (query_hash)
                   WHERE 'failed' IN (log.status, known.status)) AS failures`,
  );
  return rows[0];
}

/** Writes each line as it comes, so that a run that is cut short has its log too. */
function crashLog(title: string): (line: string) => Promise<void> {
  const file = process.env.PCACHE_CRASH_LOG;
  const started = Date.now();
  return async (line) => {
    const entry = `[${title}] ${((Date.now() - started) / 1000).toFixed(1)} s ${line}`;
    if (file) await appendFile(file, `${entry}\n`);
    else console.info(entry);
  };
}
