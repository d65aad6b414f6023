import type { Client } from 'pg';
import { createAlternative, runAlternative } from '../alternative.js';
import type { Bench, BenchContext } from '../bench.js';
import { createSlotRunner, hasLeft, isEmpty, reset, type SlotRunner } from '../processor.js';
import { createSampleTable, enqueue, lightFragments } from '../sample-data.js';
import { partitionKey, type Site } from '../site.js';
import { number, ratioOf, shown, spreadOf } from '../stats.js';

// Each round processes this many, from the head of what is left.
const itemsARound = 1_000;
const rounds = 5;
const oneInDuplicated = 10;

const lengths = [1_000, 100_000, 1_000_000];
// The alternative takes seconds for these.
const itemsOfAlternative: Readonly<Record<number, number>> = {
  1000: 1_000,
  100000: 100,
  1000000: 10,
};

const snapshotLength = 100_000;
const drainedUnderSnapshot = 50_000;
const snapshotDeadlineMs = 120_000;

interface Queue {
  readonly title: string;
  readonly site: Site;
  readonly length: number;
  readonly watcher: Client;
  readonly runner: SlotRunner;
}

export const dequeue: Bench = {
  name: 'dequeue',
  async run(context) {
    const queues: Queue[] = [];
    for (const length of lengths) queues.push(await createQueue(context, String(length), length));
    const withSnapshot = [...queues, await createQueueUnderSnapshot(context)];
    const times = withSnapshot.map(() => [] as number[]);
    for (let round = 0; round < rounds; round += 1) {
      context.say(`  round ${round + 1}`);
      for (const [index, queue] of withSnapshot.entries()) {
        if (queue.length === itemsARound) await fill(queue.site, queue.length);
        times[index]?.push(await drainSome(queue, itemsARound));
      }
    }
    const alternative: number[] = [];
    for (const queue of queues) alternative.push(await measureAlternative(queue));
    return [
      {
        title:
          'Milliseconds an item, whole (claimed, evaluated, stored, settled); × is the time over that at 1,000 (goal ≤ 1.2)',
        headings: ['queued', 'ours', '×', 'alternative', '× '],
        rows: withSnapshot.map(({ title }, index) => [
          title,
          shown(spreadOf(times[index] ?? [])),
          shown(ratioOf(times[index] ?? [], times[0] ?? [])),
          number(alternative[index] ?? Number.NaN),
          number((alternative[index] ?? Number.NaN) / (alternative[0] ?? Number.NaN)),
        ]),
      },
    ];
  },
};

async function createQueue(context: BenchContext, name: string, length: number): Promise<Queue> {
  context.say(`  filling a queue of ${number(length)}`);
  const site = await context.site({ name: `dequeue_${name}` });
  await createSampleTable(site);
  const watcher = await site.connectAs('admin');
  const runner = await createSlotRunner(site, 1);
  // Creates the cache table, and warms up the session.
  await enqueue(await site.connectAs('client'), site, lightFragments(200));
  await runner.drain(isEmpty(watcher, site));
  await fill(site, length);
  return { title: number(length), site, length, watcher, runner };
}

/** Trivial fragments, so that claiming them is what counts; one in ten is already cached. */
async function fill(site: Site, length: number): Promise<void> {
  const { queue, queries, cache } = site.tables;
  await reset(site);
  // Without the triggers: notifying clients is not part of this.
  await site.admin.query('SET session_replication_role = replica');
  await site.admin.query(
    `INSERT INTO ${queue} (hash, query, partition_key, partition_datatype)
     SELECT md5(i::text), format('SELECT zipcode FROM tiny WHERE id = %s AND %s > 0', 1 + i % 100, i), $2, 'integer'
     FROM generate_series(1, $1::integer) AS i`,
    [length, partitionKey],
  );
  // Never the last of a round: that one shows how far the run is.
  const duplicates = `FROM ${queue} WHERE id % ${oneInDuplicated} = 5`;
  await site.admin.query(
    `INSERT INTO ${queries} (query_hash, partition_key, query) SELECT hash, partition_key, query ${duplicates}`,
  );
  await site.admin.query(
    `INSERT INTO ${cache} (query_hash, partition_keys) SELECT hash, ARRAY[10001] ${duplicates}`,
  );
  await site.admin.query('RESET session_replication_role');
  for (const table of [queue, queries, cache]) await site.admin.query(`VACUUM (ANALYZE) ${table}`);
}

/** Drains the next `count` items; returns the milliseconds per item. */
async function drainSome(queue: Queue, count: number): Promise<number> {
  const { site, watcher, runner } = queue;
  const { rows } = await site.admin.query<{ id: number }>(
    `SELECT id FROM ${site.tables.queue} ORDER BY priority DESC, id OFFSET $1 LIMIT 1`,
    [count - 1],
  );
  const [last] = rows;
  if (last === undefined) throw new Error(`fewer than ${count} items are queued`);
  const ms = await runner.drain(hasLeft(watcher, site, last.id));
  await assertWorked(site, last.id);
  return ms / count;
}

/** Throws unless everything up to this queue id has left the queue without a failure, and is cached. */
async function assertWorked(site: Site, lastId: number): Promise<void> {
  const { queue, log, cache } = site.tables;
  const { rows } = await site.admin.query<{ left: number; failed: number; missing: number }>(
    `SELECT (SELECT count(*) FROM ${queue} WHERE id <= $1)::integer AS left,
            (SELECT count(*) FROM ${log} WHERE status NOT IN ('success', 'skipped', 'started'))::integer AS failed,
            (SELECT count(*) FROM generate_series(1, $1::integer) AS i
              WHERE NOT EXISTS (SELECT FROM ${cache} WHERE query_hash = md5(i::text)))::integer AS missing`,
    [lastId],
  );
  const [{ left, failed, missing } = { left: -1, failed: -1, missing: -1 }] = rows;
  if (left !== 0 || failed !== 0 || missing !== 0) {
    throw new Error(
      `of the items up to ${lastId}, ${left} are still queued and ${missing} not cached; ${failed} failed`,
    );
  }
}

async function measureAlternative({ site, length }: Queue): Promise<number> {
  await createAlternative(site.admin);
  // The ids of the queued items do not matter to it, only how many there are.
  await site.admin.query(
    `INSERT INTO alternative.fragment_queue (hash, query, partition_key, partition_datatype)
     SELECT md5(i::text), format('SELECT zipcode FROM tiny WHERE id = %s AND %s > 0', 1 + i % 100, i), $2, 'integer'
     FROM generate_series(1, $1::integer) AS i`,
    [length, partitionKey],
  );
  await site.admin.query(
    `INSERT INTO alternative.queries (query_hash, partition_key, query)
     SELECT hash, partition_key, query FROM alternative.fragment_queue WHERE id % ${oneInDuplicated} = 5`,
  );
  await site.admin.query('VACUUM (ANALYZE) alternative.fragment_queue, alternative.queries');
  const count = itemsOfAlternative[length] ?? 1;
  return (await runAlternative(site.admin, count)) / count;
}

/** A queue with dead rows at its head: drained while another session holds a snapshot that may still see them. */
async function createQueueUnderSnapshot(context: BenchContext): Promise<Queue> {
  const queue = await createQueue(context, 'snapshot', snapshotLength);
  const holder = await queue.site.connectAs('admin');
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await holder.query(`SELECT count(*) FROM ${queue.site.tables.queue}`);
  context.say(`  draining ${number(drainedUnderSnapshot)} of it under a snapshot`);
  const drained = await drainWithin(queue, drainedUnderSnapshot, snapshotDeadlineMs);
  const short =
    drained < drainedUnderSnapshot ? `, no more within ${snapshotDeadlineMs / 1000} s` : '';
  return {
    ...queue,
    title: `${queue.title}, of which ${number(drained)} drained under a snapshot still held${short}`,
  };
}

/** Returns how many items were drained. */
async function drainWithin(queue: Queue, count: number, deadlineMs: number): Promise<number> {
  const { site, watcher, runner } = queue;
  const settled = async () => {
    const { rows } = await watcher.query(`SELECT max(id) AS id FROM ${site.tables.log}`);
    return rows[0].id ?? 0;
  };
  const before = await settled();
  const start = performance.now();
  await runner.drain(
    async () => (await settled()) - before >= count || performance.now() - start > deadlineMs,
    { pollMs: 100, deadlineMs: 2 * deadlineMs },
  );
  return (await settled()) - before;
}
