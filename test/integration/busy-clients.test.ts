import { beforeAll, describe, expect, it } from 'vitest';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import { connectAs, enqueue, type Fragment, tablesOf } from '../harness/deployment.js';
import type { ManualSite } from '../harness/manual-site.js';
import { startSiteWithoutJobs } from '../harness/manual-site.js';
import { startSlots, waitUntilDrained } from '../harness/runs.js';

// Eight slots drain a queue while clients do everything that clients and their administrators do to queue and cache.

const partitions = [
  { key: 'zipcode', datatype: 'integer', column: 'zipcode' },
  { key: 'city', datatype: 'text', column: 'city' },
  // These two are new when half of the others have been queued.
  { key: 'opened', datatype: 'timestamp', column: 'opened' },
  { key: 'price', datatype: 'float', column: 'price' },
] as const;
const perPartition = 1000;

/** The last digits of the fragments of zipcode that nobody evicts. */
const kept = ['3', '4', '5', '6', '7', '8', '9'];

function fragmentsOf({ key, datatype, column }: (typeof partitions)[number]): Fragment[] {
  return Array.from({ length: perPartition }, (_, n) => ({
    hash: `${key} ${n}`,
    key,
    datatype,
    query: `WITH mark AS MATERIALIZED (SELECT exclusively('${key} ${n}') AS held)
            SELECT ${column} FROM pois, mark WHERE held AND id % 500 = ${n % 500}`,
  }));
}

const all = partitions.map(fragmentsOf);
const early = all.slice(0, 2).flat();
const late = all.slice(2).flat();

/** A session of a client or an administrator: no statement of it may fail or take longer than five seconds. */
interface Session {
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  enqueue(fragments: readonly Fragment[]): Promise<string[]>;
  longestMs(): number;
}

async function openSession(
  it_: ManualSite,
  settings: Parameters<typeof connectAs>[0],
): Promise<Session> {
  const client = await connectAs(settings);
  await client.query("SET statement_timeout = '5 s'");
  let longest = 0;
  const timed = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    try {
      return await act();
    } catch (error) {
      throw new Error(`${what}: ${(error as { code?: string }).code} ${error}`, { cause: error });
    } finally {
      longest = Math.max(longest, performance.now() - started);
    }
  };
  return {
    query: (sql, values) => timed(sql, async () => (await client.query(sql, values)).rows),
    enqueue: (fragments) => timed('enqueue', () => enqueue(client, it_.settings, fragments)),
    longestMs: () => longest,
  };
}

describe('eight slots amid busy clients', () => {
  let it_: ManualSite;
  let app: () => Promise<Session>;
  let migrator: () => Promise<Session>;
  let cronRole: () => Promise<Session>;
  const sessions: Session[] = [];

  beforeAll(async () => {
    it_ = await startSiteWithoutJobs();
    const { settings, site } = it_;
    const opener = (connection: Parameters<typeof connectAs>[0]) => async () => {
      const session = await openSession(it_, connection);
      sessions.push(session);
      return session;
    };
    app = opener(settings.client);
    migrator = opener(settings.work);
    cronRole = opener({ ...settings.cron, database: site.database });
    await it_.work.query(`
      CREATE FUNCTION exclusively(hash text) RETURNS boolean LANGUAGE plpgsql AS $$
      BEGIN
        -- The session keeps it until the run has settled the fragment.
        IF NOT pg_try_advisory_lock(4242, hashtext(hash)) THEN
          RAISE '% is being evaluated twice at once', hash;
        END IF;
        RETURN true;
      END $$;
      SELECT partitioncache_bootstrap_partition('my_cache', 'zipcode', 'integer', 'array');
      SELECT partitioncache_bootstrap_partition('my_cache', 'city', 'text', 'array')`);
  });

  /** Queues all fragments in overlapping batches; each client begins at another place. */
  async function enqueueAll(client: number, clients: number) {
    const session = await app();
    for (const fragments of [early, [...early, ...late]]) {
      const shift = Math.floor((fragments.length * client) / clients);
      const mine = [...fragments.slice(shift), ...fragments.slice(0, shift)];
      for (let i = 0; i < mine.length; i += 80) await session.enqueue(mine.slice(i, i + 100));
    }
  }

  let queueing = true;
  const meanwhile = async (act: (round: number) => Promise<unknown>) => {
    for (let round = 1; queueing; round += 1) await act(round);
  };

  /** Raises queued fragments higher and higher; returns those whose answer was "updated" and whose row says otherwise. */
  async function raisePriorities(): Promise<unknown[]> {
    const session = await app();
    const { fragmentQueue } = tablesOf(it_.settings);
    const raised: { id: unknown; priority: number }[] = [];
    const lost: unknown[] = [];
    await meanwhile(async (round) => {
      const priority = 1000 + round;
      const rows = await session.query(
        `SELECT id, hash, query FROM ${fragmentQueue} WHERE partition_key = 'zipcode' AND id % 7 = $1 LIMIT 20`,
        [round % 7],
      );
      const answers = await session.query(
        'SELECT hash, status FROM non_blocking_fragment_queue_batch_upsert($1, $2, $3, $4, $5, $6)',
        [
          rows.map(({ hash }) => hash),
          rows.map(() => 'zipcode'),
          rows.map(() => 'integer'),
          rows.map(({ query }) => query),
          rows.map(() => priority),
          deploymentTables(it_.settings).fragmentQueue,
        ],
      );
      const updated = new Set(
        answers.filter(({ status }) => status === 'updated').map(({ hash }) => hash),
      );
      raised.push(
        ...rows.filter(({ hash }) => updated.has(hash)).map(({ id }) => ({ id, priority })),
      );
      // A row that has been settled and queued again has another id.
      lost.push(
        ...(await session.query(
          `SELECT queue.hash, queue.priority, raised.priority AS answered
             FROM unnest($1::integer[], $2::integer[]) AS raised (id, priority) JOIN ${fragmentQueue} AS queue USING (id)
            WHERE queue.priority < raised.priority`,
          [raised.map(({ id }) => id), raised.map((item) => item.priority)],
        )),
      );
    });
    expect(raised.length).toBeGreaterThan(0);
    return lost;
  }

  async function readEverything() {
    const session = await app();
    await meanwhile(async () => {
      await session.query(
        "SELECT count(*), max(partition_keys_count) FROM my_cache_cache_zipcode WHERE query_hash LIKE '%7'",
      );
      await session.query(
        'SELECT count(*) FROM my_cache_cache_city AS a JOIN my_cache_cache_city AS b ON a.partition_keys && b.partition_keys AND a.query_hash < b.query_hash LIMIT 1',
      );
      await session.query("SELECT * FROM partitioncache_get_queue_and_cache_info('my_cache', $1)", [
        it_.settings.queuePrefix,
      ]);
      for (const view of [
        'processor_status',
        'active_items',
        'queue_depth',
        'throughput',
        'failures',
        'known_fragments',
      ]) {
        await session.query(`SELECT * FROM partitioncache.${view}`);
      }
    });
  }

  async function evict() {
    const session = await app();
    const { queries } = tablesOf(it_.settings);
    await meanwhile(async () => {
      await session.query('BEGIN');
      await session.query("DELETE FROM my_cache_cache_zipcode WHERE query_hash LIKE '%0'");
      await session.query(
        `DELETE FROM ${queries} WHERE partition_key = 'zipcode' AND query_hash LIKE '%0'`,
      );
      await session.query('COMMIT');
      // The other order, and each alone.
      await session.query(
        `DELETE FROM ${queries} WHERE partition_key = 'zipcode' AND query_hash LIKE '%1'`,
      );
      await session.query("DELETE FROM my_cache_cache_zipcode WHERE query_hash LIKE '%2'");
    });
  }

  async function changeTables() {
    const session = await migrator();
    const { queries } = tablesOf(it_.settings);
    await meanwhile(async (round) => {
      await session.query('TRUNCATE my_cache_cache_city');
      await session.query(`DELETE FROM ${queries} WHERE partition_key = 'city'`);
      await session.query('BEGIN');
      await session.query('DROP TABLE IF EXISTS my_cache_cache_opened');
      await session.query(
        "SELECT partitioncache_bootstrap_partition('my_cache', 'opened', 'timestamp', 'array')",
      );
      await session.query('COMMIT');
      await session.query(
        "SELECT partitioncache_bootstrap_partition('my_cache', $1, 'integer', 'array')",
        [`new_${round % 20}`],
      );
      await session.query(
        "SELECT partitioncache_bootstrap_partition('my_cache', 'price', 'float', 'array')",
      );
      if (round % 20 === 19) await session.query(`DROP TABLE my_cache_cache_new_${round % 7}`);
    });
  }

  async function maintain() {
    const session = await cronRole();
    let after: unknown = 0;
    await meanwhile(async () => {
      for (const call of [
        'delete_idle_attempts()',
        'cancel_overdue()',
        'release_results()',
        'share_waiting()',
        'release_dead_batches()',
        'publish_running()',
        'delete_old_log(1000)',
      ]) {
        await session.query(`SELECT partitioncache.${call}`);
      }
      const [row] = await session.query(
        'SELECT partitioncache.delete_cached_duplicates($1, 500) AS last',
        [after],
      );
      after = row?.last;
    });
  }

  it('neither deadlock nor lose, repeat or hold up anything', async ({ annotate }) => {
    const { work, settings } = it_;
    const { processorLog } = tablesOf(settings);
    const slots = await startSlots(it_, [1, 2, 3, 4, 5, 6, 7, 8]);
    const others = [
      raisePriorities(),
      readEverything(),
      evict(),
      changeTables(),
      maintain(),
    ] as const;
    try {
      await Promise.race([
        Promise.all([0, 1, 2, 3].map((client) => enqueueAll(client, 4))),
        // One that fails ends the test at once.
        Promise.all(others),
      ]);
    } finally {
      queueing = false;
    }
    const [lost] = await Promise.all(others);
    expect(lost).toEqual([]);
    await waitUntilDrained(it_, 120_000);

    const { rows: problems } = await work.query(
      `SELECT query_hash, status, error_message FROM ${processorLog} WHERE status NOT IN ('success', 'skipped')`,
    );
    expect(problems).toEqual([]);
    const { rows: repeated } = await work.query(
      `SELECT wanted.hash, count(log.id)::int AS evaluations
         FROM unnest($1::text[]) AS wanted (hash)
         LEFT JOIN ${processorLog} AS log ON log.query_hash = wanted.hash AND log.status = 'success'
        GROUP BY wanted.hash HAVING count(log.id) <> 1`,
      [
        fragmentsOf(partitions[0])
          .map(({ hash }) => hash)
          .filter((hash) => kept.includes(hash.slice(-1))),
      ],
    );
    expect(repeated).toEqual([]);

    await (await app()).enqueue(all.flat());
    await waitUntilDrained(it_, 120_000);
    await slots.stop();
    for (const { key, column } of partitions) {
      const { rows: wrong } = await it_.app.query(
        `SELECT n, cache.partition_keys
           FROM generate_series(0, $1::integer - 1) AS n
           LEFT JOIN my_cache_cache_${key} AS cache ON cache.query_hash = $2 || ' ' || n
          WHERE cache.partition_keys::text IS DISTINCT FROM
                ARRAY(SELECT DISTINCT ${column} FROM pois WHERE id % 500 = n % 500 AND ${column} IS NOT NULL ORDER BY 1)::text`,
        [perPartition, key],
      );
      expect(wrong).toEqual([]);
    }
    const { rows } = await work.query(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    expect(rows).toEqual([{ deadlocks: 0 }]);
    const longest = Math.max(...sessions.map((session) => session.longestMs()));
    await annotate(`the longest statement of a client took ${longest.toFixed()} ms`);
  }, 300_000);
});
