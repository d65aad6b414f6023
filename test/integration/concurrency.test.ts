import { beforeAll, describe, expect, it } from 'vitest';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import { closeGate } from '../harness/gate.js';
import { type ManualSite, outcomeOf, startSiteWithoutJobs } from '../harness/manual-site.js';
import { startMaintenance, startSlots, waitUntilDrained } from '../harness/runs.js';
import { waitFor } from '../harness/wait-for.js';

const quick = (hash: string): Fragment => ({
  hash,
  key: 'zipcode',
  datatype: 'integer',
  query: 'SELECT zipcode FROM pois WHERE id < 10',
});

const numbered = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => quick(`${name} ${i}`));

async function enqueueWith(it_: ManualSite, priority: number, fragments: readonly Fragment[]) {
  await it_.app.query(
    'SELECT FROM non_blocking_fragment_queue_batch_upsert($1, $2, $3, $4, $5, $6)',
    [
      fragments.map(({ hash }) => hash),
      fragments.map(({ key }) => key),
      fragments.map(({ datatype }) => datatype),
      fragments.map(({ query }) => query),
      fragments.map(() => priority),
      deploymentTables(it_.settings).fragmentQueue,
    ],
  );
}

/** How often each of them was evaluated, by the log. */
async function evaluations(it_: ManualSite, fragments: readonly Fragment[]): Promise<number[]> {
  const { rows } = await it_.work.query(
    `SELECT (SELECT count(*)::int FROM ${tablesOf(it_.settings).processorLog} AS log
              WHERE log.query_hash = wanted.hash AND log.status <> 'skipped') AS count
       FROM unnest($1::text[]) WITH ORDINALITY AS wanted (hash, place) ORDER BY place`,
    [fragments.map(({ hash }) => hash)],
  );
  return rows.map(({ count }) => count);
}

/** The log's hashes in the order in which their evaluations ended. */
async function orderOfEvaluation({ work, settings }: ManualSite): Promise<string[]> {
  const { rows } = await work.query(
    `SELECT query_hash AS hash FROM ${tablesOf(settings).processorLog} ORDER BY created_at, id`,
  );
  return rows.map(({ hash }) => hash);
}

async function clearLog({ work, settings }: ManualSite) {
  await work.query(`DELETE FROM ${tablesOf(settings).processorLog}`);
}

describe('the order of work', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
  });

  it('is that of the priorities, and of arrival within one priority', async () => {
    await clearLog(it_);
    const fragments = numbered('ordered', 300);
    const priorities = new Map<number, string[]>();
    for (const [i, fragment] of fragments.entries()) {
      const priority = 1 + ((i * 7) % 5);
      await enqueueWith(it_, priority, [fragment]);
      priorities.set(priority, [...(priorities.get(priority) ?? []), fragment.hash]);
    }
    const slots = await startSlots(it_, [1]);
    await waitUntilDrained(it_);
    await slots.stop();
    expect(await orderOfEvaluation(it_)).toEqual(
      [5, 4, 3, 2, 1].flatMap((priority) => priorities.get(priority)),
    );
  });

  it('follows a priority that is raised while others are at work, from the next batch on', async () => {
    await clearLog(it_);
    const gate = await closeGate(it_);
    // A run's first batch is one fragment.
    const first = { ...quick('at the gate'), query: gate.query };
    const others = numbered('waiting', 400);
    const raised = others[399] as Fragment;
    await enqueue(it_.app, it_.settings, [first]);
    await enqueue(it_.app, it_.settings, others);
    const slots = await startSlots(it_, [1]);
    try {
      await gate.waitForVisitors();
      expect(await enqueue(it_.app, it_.settings, [raised])).toEqual(['updated']);
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await slots.stop();
    expect((await orderOfEvaluation(it_)).slice(0, 2)).toEqual([first.hash, raised.hash]);
  });
});

describe('two runs of one slot', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
  });

  it.each([
    ['works on a fragment', ''],
    ['works on one that lets go of all locks it can', 'PERFORM pg_advisory_unlock_all();'],
  ])('cannot coexist while one %s: the others return at once', async (what, first) => {
    const gate = await closeGate(it_);
    await it_.work.query(`
      CREATE OR REPLACE FUNCTION wait_here() RETURNS void LANGUAGE plpgsql AS $$
      BEGIN ${first} PERFORM ${gate.wait}; END $$`);
    const fragment = { ...quick(`one who ${what}`), query: 'SELECT 7 FROM wait_here()' };
    await enqueue(it_.app, it_.settings, [fragment]);
    const slots = await startSlots(it_, [1]);
    try {
      const [worker] = await gate.waitForVisitors();
      expect(worker).toBe(slots.pids[0]);
      const others = await Promise.all(
        Array.from({ length: 4 }, () =>
          connectAs({ ...it_.settings.cron, database: it_.site.database }),
        ),
      );
      let returned = 0;
      for (const client of others) {
        client
          .query('CALL partitioncache.run_processor($1, 1)', [defaultJobName(it_.settings)])
          .then(() => {
            returned += 1;
          })
          .catch(() => {});
      }
      // A run that got in would stay for ten seconds, even if it found nothing to do.
      await waitFor('the return of the others', async () => returned, {
        deadlineMs: 8000,
        until: (count) => count === others.length,
      });
      expect(await gate.waitForVisitors()).toEqual([worker]);
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await slots.stop();
    expect(await evaluations(it_, [fragment])).toEqual([1]);
    expect(await outcomeOf(it_, fragment)).toMatchObject({ status: 'ok', logged: 'success' });
  });

  it('started at once are one run, and the fragments are evaluated once', async () => {
    const fragments = numbered('five at once', 200);
    await enqueue(it_.app, it_.settings, fragments);
    const slots = await startSlots(it_, [1, 1, 1, 1, 1]);
    await waitUntilDrained(it_);
    await slots.stop();
    expect(await evaluations(it_, fragments)).toEqual(fragments.map(() => 1));
  });
});

describe('a slow fragment', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
  });

  /** A run claims more at once after quick fragments: with these in front, what follows is one batch. */
  async function enqueueAfterQuickOnes(name: string, fragments: readonly Fragment[]) {
    await enqueueWith(it_, 1000, numbered(`before ${name}`, 1 + 4 + 16));
    for (const [i, fragment] of fragments.entries()) {
      await enqueueWith(it_, 500 - i, [fragment]);
    }
  }

  async function claimedTogether(fragments: readonly Fragment[]): Promise<boolean> {
    const { rows } = await it_.work.query(
      `SELECT FROM partitioncache.batch
        WHERE queue_ids @> ARRAY(SELECT id FROM ${tablesOf(it_.settings).fragmentQueue} WHERE hash = ANY ($1))`,
      [fragments.map(({ hash }) => hash)],
    );
    return rows.length === 1;
  }

  async function cached(fragments: readonly Fragment[]): Promise<number> {
    const { rows } = await it_.app.query(
      `SELECT count(*)::int AS count FROM ${tablesOf(it_.settings).queries} WHERE status = 'ok' AND query_hash = ANY ($1)`,
      [fragments.map(({ hash }) => hash)],
    );
    return rows[0].count;
  }

  it('does not keep the quick ones behind it waiting: other slots process them meanwhile', async () => {
    const gate = await closeGate(it_);
    const slow = { ...quick('slow and first'), query: gate.query };
    const behind = numbered('behind', 15);
    await enqueueAfterQuickOnes('sharing', [slow, ...behind]);
    const first = await startSlots(it_, [1]);
    await gate.waitForVisitors();
    expect(await claimedTogether([slow, ...behind])).toBe(true);
    const others = await startSlots(it_, [2, 3]);
    const maintenance = await startMaintenance(it_);
    try {
      await waitFor('all quick ones in the cache', () => cached(behind), {
        deadlineMs: 20_000,
        until: (count) => count === behind.length,
      });
      expect(await gate.waitForVisitors()).toEqual([first.pids[0]]);
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await Promise.all([first.stop(), others.stop(), maintenance.stop()]);
    expect(await outcomeOf(it_, slow)).toMatchObject({ status: 'ok', logged: 'success' });
    expect(await evaluations(it_, [slow, ...behind])).toEqual([slow, ...behind].map(() => 1));
  });

  it('does not hold back results that were ready before it', async () => {
    const gate = await closeGate(it_);
    const [ready] = numbered('ready', 1) as [Fragment];
    const slow = { ...quick('slow and second'), query: gate.query };
    await enqueueAfterQuickOnes('releasing', [ready, slow]);
    const slots = await startSlots(it_, [1]);
    await gate.waitForVisitors();
    // Both in one transaction, which waits.
    expect(await cached([ready])).toBe(0);
    const maintenance = await startMaintenance(it_);
    try {
      await waitFor('the ready one in the cache', () => cached([ready]), { deadlineMs: 20_000 });
      await gate.waitForVisitors();
      expect(await cached([slow])).toBe(0);
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await Promise.all([slots.stop(), maintenance.stop()]);
    expect(await outcomeOf(it_, slow)).toMatchObject({ status: 'ok', logged: 'success' });
    expect(await evaluations(it_, [ready, slow])).toEqual([1, 1]);
  });
});

describe('what a run goes on with after it has widened a bit cache', () => {
  it('is not what another slot got meanwhile', async () => {
    const it_ = await startSiteWithoutJobs({
      CACHE_BACKEND: 'postgresql_bit',
      PG_BIT_CACHE_TABLE_PREFIX: 'my_bits',
    });
    const gate = await closeGate(it_);
    await it_.work.query(`
      CREATE FUNCTION wait_once_wide() RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        IF (SELECT bitsize FROM my_bits_partition_metadata WHERE partition_key = 'zipcode') > 5000 THEN
          PERFORM ${gate.wait};
        ELSE
          PERFORM pg_sleep(0.06); -- longer than a chunk, so that the others are in the next one
        END IF;
      END $$;
      GRANT SELECT ON my_bits_partition_metadata TO PUBLIC`);
    const wide = { ...quick('wide'), query: 'SELECT 5000 FROM wait_once_wide()' };
    const behind = numbered('behind the wide one', 15);
    await enqueueWith(it_, 1000, numbered('before the wide one', 1 + 4 + 16));
    await enqueueWith(it_, 500, [wide]);
    await enqueueWith(it_, 400, behind);
    const first = await startSlots(it_, [1]);
    await gate.waitForVisitors();
    const second = await startSlots(it_, [2]);
    const maintenance = await startMaintenance(it_);
    try {
      await waitFor(
        'the others to be settled by the second slot',
        async () => (await evaluations(it_, behind)).every((count) => count === 1),
        { deadlineMs: 20_000 },
      );
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await Promise.all([first.stop(), second.stop(), maintenance.stop()]);
    expect(await evaluations(it_, [wide, ...behind])).toEqual([wide, ...behind].map(() => 1));
  });
});

describe('a client in the way of a run', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
  });

  it('that holds some of its rows and then wants others is not the one that must give way', async () => {
    const { queries } = tablesOf(it_.settings);
    const fragments = numbered('contended', 100);
    const hashes = fragments.map(({ hash }) => hash);
    await enqueue(it_.app, it_.settings, fragments);
    const before = await startSlots(it_, [1]);
    await waitUntilDrained(it_);
    await before.stop();
    // Evicted and queued again, so that the run has rows to update that the client can hold.
    await it_.app.query('DELETE FROM my_cache_cache_zipcode WHERE query_hash = ANY ($1)', [hashes]);
    await enqueueWith(it_, 1000, numbered('before the contended ones', 1 + 4 + 16 + 64));
    await enqueue(it_.app, it_.settings, fragments);
    const client = await connectAs(it_.settings.client);
    await client.query("SET statement_timeout = '5 s'");
    await client.query('BEGIN');
    const touch = (some: readonly string[]) =>
      client.query(`UPDATE ${queries} SET last_seen = now() WHERE query_hash = ANY ($1)`, [some]);
    await touch(hashes.slice(50));
    const slots = await startSlots(it_, [1]);
    await waitFor(
      'the run to wait for the client',
      async () =>
        (
          await it_.work.query(
            'SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND cardinality(pg_blocking_pids($1)) > 0',
            [slots.pids[0]],
          )
        ).rowCount,
      { deadlineMs: 20_000 },
    );
    // One by one, again and again, to meet the run whatever it holds at that moment.
    for (let round = 0; round < 20; round += 1) {
      for (const hash of hashes.slice(0, 50)) await touch([hash]);
    }
    await client.query('COMMIT');
    await waitUntilDrained(it_);
    await slots.stop();
    const { rows } = await it_.work.query(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
    const { rows: cached } = await it_.app.query(
      'SELECT count(*)::int AS count FROM my_cache_cache_zipcode WHERE query_hash = ANY ($1)',
      [hashes],
    );
    expect(cached).toEqual([{ count: 100 }]);
  });

  it('that evicts and queues again what is just being skipped has it evaluated again', async () => {
    const gate = await closeGate(it_);
    const evicted = quick('evicted while skipped');
    const slow = { ...quick('slow after the skip'), query: gate.query };
    await enqueue(it_.app, it_.settings, [evicted]);
    const before = await startSlots(it_, [1]);
    await waitUntilDrained(it_);
    await before.stop();
    await enqueueWith(it_, 1000, numbered('before the skip', 1 + 4 + 16));
    await enqueueWith(it_, 500, [evicted]);
    await enqueueWith(it_, 400, [slow]);
    const slots = await startSlots(it_, [1]);
    try {
      await gate.waitForVisitors();
      await it_.app.query('DELETE FROM my_cache_cache_zipcode WHERE query_hash = $1', [
        evicted.hash,
      ]);
      await it_.app.query(`DELETE FROM ${tablesOf(it_.settings).queries} WHERE query_hash = $1`, [
        evicted.hash,
      ]);
      expect(await enqueue(it_.app, it_.settings, [evicted])).toEqual(['updated']);
    } finally {
      await gate.open();
    }
    await waitUntilDrained(it_);
    await slots.stop();
    expect((await outcomeOf(it_, evicted)).status).toBe('ok');
    const { rowCount } = await it_.app.query(
      'SELECT FROM my_cache_cache_zipcode WHERE query_hash = $1',
      [evicted.hash],
    );
    expect(rowCount).toBe(1);
  });
});

describe('a processor that is disabled', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
  });

  it('processes nothing that is queued afterwards, also by a run that was about to claim', async () => {
    const { settings, work } = it_;
    const { fragmentQueue, processorConfig } = tablesOf(settings);
    const owner = await connectAs(settings.work);
    await owner.query(`BEGIN; LOCK TABLE ${fragmentQueue} IN ACCESS EXCLUSIVE MODE`);
    const slots = await startSlots(it_, [1]);
    await waitFor(
      'the run to wait for the queue',
      async () =>
        (
          await work.query(
            'SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND relation = $2::regclass',
            [slots.pids[0], fragmentQueue],
          )
        ).rowCount,
      { deadlineMs: 20_000 },
    );
    await work.query(`UPDATE ${processorConfig} SET enabled = false`);
    await owner.query(
      `INSERT INTO ${fragmentQueue} (hash, partition_key, partition_datatype, query)
       VALUES ('too late', 'zipcode', 'integer', 'SELECT 1')`,
    );
    await owner.query('COMMIT');
    await slots.stop();
    const { rows } = await work.query(`SELECT hash FROM ${fragmentQueue}`);
    expect(rows).toEqual([{ hash: 'too late' }]);
    const { rows: claimed } = await work.query('SELECT FROM partitioncache.batch');
    expect(claimed).toEqual([]);
  });
});
