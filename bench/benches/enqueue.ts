import type { Client } from 'pg';
import { createAlternative } from '../alternative.js';
import type { Bench } from '../bench.js';
import { enqueueArguments, sampleFragments } from '../sample-data.js';
import type { Site } from '../site.js';
import { ratioOf, shown, spreadOf } from '../stats.js';

const batch = 10_000;
const rounds = 7;

interface Way {
  readonly title: string;
  readonly statement: (site: Site) => string;
}

// All of them write to the same table, with the same indexes and triggers, and return each item's status or key.
const ways: readonly Way[] = [
  {
    title: 'one set-based upsert',
    statement: ({ tables }) =>
      `INSERT INTO ${tables.queue} AS queue (hash, partition_key, partition_datatype, query)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
       ON CONFLICT (hash, partition_key) DO UPDATE SET priority = queue.priority + 1, updated_at = now()
       RETURNING hash, partition_key, $5::text`,
  },
  {
    title: '**ours** (goal ≤ 2)',
    statement: () =>
      'SELECT * FROM non_blocking_fragment_queue_batch_upsert($1::text[], $2::text[], $3::text[], $4::text[], NULL, $5)',
  },
  {
    title: 'alternative: row by row',
    statement: () =>
      'SELECT * FROM alternative.enqueue_each($1::text[], $2::text[], $3::text[], $4::text[], $5)',
  },
];

export const enqueue: Bench = {
  name: 'enqueue',
  async run(context) {
    const site = await context.site({ name: 'enqueue' });
    await createAlternative(site.admin);
    const client = await site.connectAs('client');
    const times = ways.map(() => ({ fresh: [] as number[], present: [] as number[] }));
    // The first round warms up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [index, way] of ways.entries()) {
        await site.admin.query(`TRUNCATE ${site.tables.queue}`);
        const fresh = await timed(client, site, way, 1);
        const present = await timed(client, site, way, 2);
        if (round === 0) continue;
        times[index]?.fresh.push(fresh);
        times[index]?.present.push(present);
      }
    }
    const [reference] = times;
    return [
      {
        title: `Milliseconds for a batch of ${batch.toLocaleString('en')}; × is the time over that of the upsert`,
        headings: ['way', 'new', '×', 'queued already', '× '],
        rows: ways.map(({ title }, index) => {
          const { fresh = [], present = [] } = times[index] ?? {};
          return [
            title,
            shown(spreadOf(fresh)),
            shown(ratioOf(fresh, reference?.fresh ?? [])),
            shown(spreadOf(present)),
            shown(ratioOf(present, reference?.present ?? [])),
          ];
        }),
      },
    ];
  },
};

async function timed(client: Client, site: Site, way: Way, priority: number): Promise<number> {
  const values = enqueueArguments(site, sampleFragments(batch));
  const text = way.statement(site);
  const start = performance.now();
  const { rowCount } = await client.query(text, values);
  const ms = performance.now() - start;
  const { rows } = await site.admin.query<{ count: number; right: number }>(
    `SELECT count(*)::integer, count(*) FILTER (WHERE priority = $1)::integer AS right FROM ${site.tables.queue}`,
    [priority],
  );
  if (rowCount !== batch || rows[0]?.count !== batch || rows[0].right !== batch) {
    throw new Error(
      `${way.title}: ${rowCount} rows came back, ${JSON.stringify(rows[0])} with priority ${priority} are queued instead of ${batch}`,
    );
  }
  return ms;
}
