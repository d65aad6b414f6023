import type pg from 'pg';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import { closeGate, type Gate } from '../harness/gate.js';
import {
  type ManualSite,
  outcomeOf,
  processNow,
  startSiteWithoutJobs,
} from '../harness/manual-site.js';
import { startMaintenance, startSlots, waitUntilDrained } from '../harness/runs.js';
import { waitFor } from '../harness/wait-for.js';

const fragment = (hash: string, key = 'zipcode', query = 'SELECT 7'): Fragment => ({
  hash,
  key,
  datatype: 'integer',
  query,
});

const numbered = (name: string, count: number, key = 'zipcode') =>
  Array.from({ length: count }, (_, i) => fragment(`${name} ${i}`, key));

let it_: ManualSite;

beforeAll(async () => {
  it_ = await startSiteWithoutJobs();
});

beforeEach(async () => {
  const { fragmentQueue, processorLog, queries } = tablesOf(it_.settings);
  await it_.work.query(`DELETE FROM ${fragmentQueue}; DELETE FROM ${queries}; DELETE FROM ${processorLog};
                        DELETE FROM partitioncache.attempt`);
});

async function queued(): Promise<string[]> {
  const { rows } = await it_.work.query(
    `SELECT hash FROM ${tablesOf(it_.settings).fragmentQueue} ORDER BY id`,
  );
  return rows.map(({ hash }) => hash);
}

const queueAgain = (fragments: readonly Fragment[]) => enqueue(it_.app, it_.settings, fragments);

/** Puts them into the cache and then into the queue again. */
async function queueCached(fragments: readonly Fragment[]) {
  await processNow(it_, fragments);
  await queueAgain(fragments);
}

/** The whole queue, in stretches of this size. */
async function deleteCachedDuplicates(client: pg.Client, stretch: number): Promise<number> {
  let stretches = 0;
  for (let after = 0; ; stretches += 1) {
    const { rows } = await client.query(
      'SELECT partitioncache.delete_cached_duplicates($1, $2) AS last',
      [after, stretch],
    );
    if (rows[0].last === 0) return stretches;
    expect(rows[0].last).toBeGreaterThan(after);
    after = rows[0].last;
  }
}

const hashesOf = (fragments: readonly Fragment[]) => fragments.map(({ hash }) => hash);

describe('what is queued although it is cached', () => {
  it('leaves the queue, in stretches and whatever its partition', async () => {
    const cached = [...numbered('here', 6), ...numbered('there', 6, 'district')];
    const news = numbered('new', 6);
    await processNow(it_, cached);
    await queueAgain(
      [0, 1, 2, 3, 4, 5].flatMap((i) => [cached[i], news[i], cached[6 + i]]) as Fragment[],
    );
    expect(await deleteCachedDuplicates(it_.cronRole, 5)).toBe(4);
    expect(await queued()).toEqual(hashesOf(news));
  });

  it('stays if it was evicted, if its table is gone, or if its status is not ok', async () => {
    const [evicted, unknown, failed, gone, cached] = [
      fragment('evicted'),
      fragment('evicted from the known ones'),
      fragment('failed'),
      fragment('without a table', 'dropped'),
      fragment('cached'),
    ];
    await queueCached([evicted, unknown, failed, gone, cached]);
    const { queries } = tablesOf(it_.settings);
    await it_.app.query("DELETE FROM my_cache_cache_zipcode WHERE query_hash = 'evicted'");
    await it_.app.query(`DELETE FROM ${queries} WHERE query_hash = $1`, [unknown.hash]);
    await it_.app.query(`UPDATE ${queries} SET status = 'failed' WHERE query_hash = 'failed'`);
    await it_.work.query('DROP TABLE my_cache_cache_dropped');
    await deleteCachedDuplicates(it_.cronRole, 100);
    expect(await queued()).toEqual(hashesOf([evicted, unknown, failed, gone]));
  });

  it('stays while a run has claimed it', async () => {
    const gate = await closeGate(it_);
    const claimed = numbered('claimed', 3);
    const free = fragment('free');
    await processNow(it_, [...claimed, free]);
    // Quick ones first, so that the run claims several at once.
    await queueAgain(numbered('before', 1 + 4 + 16));
    await queueAgain([fragment('slow', 'zipcode', gate.query)]);
    await queueAgain(claimed);
    const slots = await startSlots(it_, [1]);
    try {
      await gate.waitForVisitors();
      await queueAgain([free]);
      await deleteCachedDuplicates(it_.cronRole, 100);
      expect(await queued()).toEqual(['slow', ...hashesOf(claimed)]);
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await slots.stop();
  });

  it('stays while a client holds its row, which is not waited for', async () => {
    const fragments = numbered('held', 3);
    await queueCached(fragments);
    const client = await connectAs(it_.settings.client);
    await client.query('BEGIN');
    await client.query(
      `SELECT FROM ${tablesOf(it_.settings).fragmentQueue} WHERE hash = 'held 1' FOR UPDATE`,
    );
    const cleaner = await cronSession();
    await cleaner.query("SET statement_timeout = '10 s'");
    await deleteCachedDuplicates(cleaner, 100);
    expect(await queued()).toEqual(['held 1']);
    await client.query('ROLLBACK');
    await deleteCachedDuplicates(cleaner, 100);
    expect(await queued()).toEqual([]);
  });
});

const cronSession = () => connectAs({ ...it_.settings.cron, database: it_.site.database });

describe('the log', () => {
  const log = (name: string, count: number, daysAgo: number) =>
    it_.work.query(
      `INSERT INTO ${tablesOf(it_.settings).processorLog} (job_id, query_hash, partition_key, status, created_at)
       SELECT 'j', $1 || n, 'k', 'success', now()::timestamp - make_interval(days => $2, secs => n)
         FROM generate_series(1, $3) AS n`,
      [name, daysAgo, count],
    );

  const logged = async () =>
    (
      await it_.work.query(
        `SELECT query_hash AS hash FROM ${tablesOf(it_.settings).processorLog} ORDER BY created_at`,
      )
    ).rows.map(({ hash }) => hash);

  it('loses what is too old in portions, the oldest first', async () => {
    await log('old ', 5, 31);
    await log('young ', 1, 29);
    const portions: unknown[] = [];
    for (let i = 0; i < 4; i += 1) {
      const { rows } = await it_.cronRole.query(
        'SELECT partitioncache.delete_old_log(2) AS deleted',
      );
      portions.push([rows[0].deleted, (await logged())[0]]);
    }
    expect(portions).toEqual([
      [2, 'old 3'],
      [2, 'old 1'],
      [1, 'young 1'],
      [0, 'young 1'],
    ]);
  });

  it('is kept for the current retention, even by a maintenance run that is under way', async () => {
    await log('old ', 1, 31);
    await log('five days ', 1, 5);
    const maintenance = await startMaintenance(it_);
    try {
      await waitFor('the end of what is over 30 days', logged, {
        deadlineMs: 20_000,
        until: (hashes) => hashes.length === 1,
      });
      expect(await logged()).toEqual(['five days 1']);
      await it_.work.query('UPDATE partitioncache.settings SET log_retention_days = 4');
      await waitFor('the end of what is over 4 days', logged, {
        deadlineMs: 20_000,
        until: (hashes) => hashes.length === 0,
      });
    } finally {
      await it_.work.query('UPDATE partitioncache.settings SET log_retention_days = 30');
      await maintenance.stop();
    }
  });
});

describe('attempts', () => {
  it('of what a client took out of the queue are forgotten, and no others', async () => {
    await queueAgain([fragment('queued'), fragment('taken out')]);
    await it_.work.query(
      `INSERT INTO partitioncache.attempt (query_hash, partition_key, attempts, not_before, last_error)
       VALUES ('queued', 'zipcode', 1, now(), ''), ('taken out', 'zipcode', 1, now(), ''), ('queued', 'district', 1, now(), '')`,
    );
    await it_.app.query(
      `DELETE FROM ${tablesOf(it_.settings).fragmentQueue} WHERE hash = 'taken out'`,
    );
    await it_.cronRole.query('SELECT partitioncache.delete_idle_attempts()');
    const { rows } = await it_.work.query(
      'SELECT query_hash, partition_key FROM partitioncache.attempt',
    );
    expect(rows).toEqual([{ query_hash: 'queued', partition_key: 'zipcode' }]);
  });
});

/** What the clients show as active: hash and backend. */
async function shownAsActive(): Promise<string[]> {
  const { rows } = await it_.app.query(
    `SELECT query_hash || ' by ' || pid AS shown FROM ${tablesOf(it_.settings).activeJobs} ORDER BY 1`,
  );
  return rows.map(({ shown }) => shown);
}

const waitUntilShown = (shown: readonly string[]) =>
  waitFor(`${shown.length} active fragments to be shown`, shownAsActive, {
    deadlineMs: 20_000,
    until: (now) => JSON.stringify(now) === JSON.stringify(shown),
  });

describe('a run of the maintenance job', () => {
  let gate: Gate;

  beforeEach(async () => {
    gate = await closeGate(it_);
  });

  it('cleans the queue, the log and the attempts, and keeps doing so', async () => {
    const cached = numbered('cached', 3);
    await queueCached(cached);
    const maintenance = await startMaintenance(it_);
    const cleaned = () =>
      waitFor('a clean queue', queued, { deadlineMs: 20_000, until: ({ length }) => length === 0 });
    try {
      await cleaned();
      await queueAgain(cached);
      await cleaned();
    } finally {
      await maintenance.stop();
    }
  });

  it('shows exactly what is running', async () => {
    const [one, two] = [
      fragment('one', 'zipcode', gate.query),
      fragment('two', 'zipcode', gate.query),
    ];
    await queueAgain([one, two]);
    await it_.app.query(
      `INSERT INTO ${tablesOf(it_.settings).activeJobs} (query_hash, partition_key, job_id, pid, query)
       VALUES ('of a run long gone', 'zipcode', 'j', 0, '')`,
    );
    const first = await startSlots(it_, [1]);
    await gate.waitForVisitors();
    const second = await startSlots(it_, [2]);
    await gate.waitForVisitors(2);
    const maintenance = await startMaintenance(it_);
    try {
      await waitUntilShown([`one by ${first.pids[0]}`, `two by ${second.pids[0]}`]);
      await gate.open();
      await waitUntilShown([]);
    } finally {
      await gate.open();
    }
    await Promise.all([first.stop(), second.stop(), maintenance.stop()]);
    expect(await queued()).toEqual([]);
  });

  it('gives back what a run that died had claimed', async () => {
    await queueAgain([fragment('survivor', 'zipcode', gate.query)]);
    const victim = await startSlots(it_, [1]);
    const [pid] = await gate.waitForVisitors();
    const maintenance = await startMaintenance(it_);
    await waitUntilShown([`survivor by ${pid}`]);
    await it_.cronRole.query('SELECT pg_terminate_backend($1)', [pid]);
    await expect(victim.stop()).rejects.toMatchObject({ code: '57P01' });
    await waitUntilShown([]);
    // Before another slot starts, which gives it back as well.
    await waitFor(
      'an end of the claim',
      async () => (await it_.work.query('SELECT FROM partitioncache.batch')).rowCount,
      { deadlineMs: 20_000, until: (claims) => claims === 0 },
    );
    await gate.open();
    const other = await startSlots(it_, [2]);
    await waitUntilDrained(it_);
    await Promise.all([other.stop(), maintenance.stop()]);
    expect(await outcomeOf(it_, fragment('survivor'))).toMatchObject({
      status: 'ok',
      logged: 'success',
    });
  });

  it.each([
    ['empties', 'TRUNCATE my_cache_cache_zipcode'],
    ['drops', 'DROP TABLE my_cache_cache_zipcode'],
  ])('enforces timeouts while someone %s a cache table and takes long', async (_, statement) => {
    const { processorConfig } = tablesOf(it_.settings);
    const cached = fragment('cached');
    await queueCached([cached]);
    const holder = await connectAs(it_.settings.work);
    await holder.query('BEGIN');
    await holder.query(statement);
    await it_.work.query(`UPDATE ${processorConfig} SET timeout_seconds = 1`);
    const maintenance = await startMaintenance(it_);
    const timesOut = async (slow: Fragment) => {
      await queueAgain([slow]);
      await it_.work.query(
        `UPDATE ${tablesOf(it_.settings).fragmentQueue} SET priority = 9 WHERE hash = $1`,
        [slow.hash],
      );
      const slots = await startSlots(it_, [1]);
      await waitFor('the timeout', () => outcomeOf(it_, slow), {
        deadlineMs: 20_000,
        until: ({ status }) => status === 'timeout',
      });
      await slots.stop();
    };
    try {
      await timesOut(fragment('slow meanwhile', 'district', 'SELECT 1 FROM pg_sleep(600)'));
      await holder.query('COMMIT');
      // The run that saw the table go is still the one that watches.
      await timesOut(fragment('slow afterwards', 'district', 'SELECT 1 FROM pg_sleep(600)'));
    } finally {
      await holder.query('ROLLBACK');
      await it_.work.query(`UPDATE ${processorConfig} SET timeout_seconds = 1800`);
      await maintenance.stop();
    }
  });
});

describe('while there is nothing to do', () => {
  /** Watches a session for this many of its transactions; returns how long the longest had been open when sampled. */
  async function longestOpenSeconds(pid: number, transactions: number): Promise<number> {
    const seen = new Map<string, number>();
    await waitFor(
      `${transactions} transactions of backend ${pid}`,
      async () => {
        const { rows } = await it_.cronRole.query(
          `SELECT xact_start::text AS began, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS open
             FROM pg_stat_activity WHERE pid = $1 AND xact_start IS NOT NULL`,
          [pid],
        );
        for (const { began, open } of rows) seen.set(began, open);
        return seen.size;
      },
      { deadlineMs: 40_000, until: (size) => size >= transactions },
    );
    return Math.max(...seen.values());
  }

  // A poll is a second; the rest is for a machine that is busy with something else.
  const atMost = 3;

  it('a processor keeps no transaction open for longer than a poll', async () => {
    const slots = await startSlots(it_, [1]);
    expect(await longestOpenSeconds(slots.pids[0] as number, 10)).toBeLessThan(atMost);
    await slots.stop();
  });

  it('the maintenance keeps none open either', async () => {
    const maintenance = await startMaintenance(it_);
    expect(await longestOpenSeconds(maintenance.pids[0] as number, 10)).toBeLessThan(atMost);
    await maintenance.stop();
  });
});

describe('a timeout that is lowered while a fragment has been at work for long', () => {
  it('cancels it, says how long it took, and ends no session', async () => {
    const { processorConfig } = tablesOf(it_.settings);
    const long = fragment('long', 'zipcode', 'SELECT 7 FROM pg_sleep(120)');
    await queueAgain([long]);
    const slots = await startSlots(it_, [1]);
    const maintenance = await startMaintenance(it_);
    await waitFor(
      'a fragment at work for longer than the grace of one that ignores its cancel',
      async () =>
        (
          await it_.cronRole.query(
            "SELECT FROM partitioncache.active_items WHERE running_for > interval '11 s'",
          )
        ).rowCount,
      { deadlineMs: 40_000 },
    );
    await it_.work.query(`UPDATE ${processorConfig} SET timeout_seconds = 1`);
    await waitFor('its timeout', async () => (await outcomeOf(it_, long)).status === 'timeout', {
      deadlineMs: 20_000,
    });
    expect((await outcomeOf(it_, long)).error).toBe('57014: cancelled after timeout_seconds = 1');
    const { rows } = await it_.work.query(
      `SELECT execution_time_ms > 11000 AS whole FROM ${tablesOf(it_.settings).processorLog} WHERE query_hash = 'long'`,
    );
    expect(rows).toEqual([{ whole: true }]);
    await it_.work.query(`UPDATE ${processorConfig} SET timeout_seconds = 1800`);
    // Throws if the session was terminated.
    await slots.stop();
    await maintenance.stop();
  });
});

describe('a fragment that has to itself the lock by which maintenance shows itself', () => {
  it('does not keep from coming what ends it', async () => {
    const { processorConfig } = tablesOf(it_.settings);
    await it_.work.query(`UPDATE ${processorConfig} SET timeout_seconds = 1`);
    const greedy = fragment(
      'greedy',
      'zipcode',
      `SELECT 1 FROM (
         SELECT pg_advisory_lock((SELECT oid::integer FROM pg_class WHERE relname = 'hold'), 1) OFFSET 0
       ) AS taken, pg_sleep(600)`,
    );
    await enqueue(it_.app, it_.settings, [greedy]);
    const slots = await startSlots(it_, [1]);
    await waitFor(
      'the lock in the hand of the fragment',
      async () => {
        const { rows } = await it_.work.query(
          `SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND mode = 'ExclusiveLock' AND pid = $1 AND objid = 1
              AND classid = 'partitioncache.hold'::regclass`,
          [slots.pids[0]],
        );
        return rows.length;
      },
      { deadlineMs: 20_000, until: (held) => held === 1 },
    );
    const maintenance = await startMaintenance(it_);
    await waitFor('the end of the fragment', () => outcomeOf(it_, greedy), {
      deadlineMs: 20_000,
      until: ({ logged }) => logged === 'timeout',
    });
    await it_.work.query(`UPDATE ${processorConfig} SET timeout_seconds = 1800`);
    await maintenance.stop();
    await slots.stop();
  });
});

describe('a fragment that a client takes out of the queue while it is processed', () => {
  it('is still shown', async () => {
    await queueAgain([fragment('taken out', 'zipcode', 'SELECT 7 FROM pg_sleep(120)')]);
    const slots = await startSlots(it_, [1]);
    const shown = async () =>
      (await it_.work.query('SELECT * FROM partitioncache.active_items')).rows;
    await waitFor('the fragment to be at work', async () => (await shown()).length === 1, {
      deadlineMs: 20_000,
    });
    await it_.work.query(`DELETE FROM ${tablesOf(it_.settings).fragmentQueue}`);
    expect(await shown()).toMatchObject([{ slot: 1, query_hash: '(no longer queued)' }]);
    await it_.cronRole.query('SELECT pg_cancel_backend($1)', [slots.pids[0]]);
    await slots.stop();
  });
});
