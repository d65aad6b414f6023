import type { Client } from 'pg';
import type { Bench } from '../bench.js';
import { assertOutcomes, createSlotRunner, isEmpty, reset } from '../processor.js';
import {
  createSampleTable,
  enqueue,
  type Fragment,
  sampleFragments,
  waitingFragments,
} from '../sample-data.js';
import type { Site } from '../site.js';
import { number, ratioOf, shown, spreadOf } from '../stats.js';
import { sampleWaits, type Waits } from '../wait-sampler.js';

const slotCounts = [1, 2, 4, 8];
const rounds = 3;

const workloads: readonly { title: string; fragments: readonly Fragment[] }[] = [
  { title: 'sample', fragments: sampleFragments(3_000) },
  { title: 'waits 20 ms', fragments: waitingFragments(200) },
];

interface Measured {
  readonly rates: number[];
  readonly waits: Waits[];
}

export const slots: Bench = {
  name: 'slots',
  async run(context) {
    const site = await context.site({ name: 'slots' });
    await createSampleTable(site);
    const client = await site.connectAs('client');
    const rows: string[][] = [];
    for (const { title, fragments } of workloads) {
      const measured = slotCounts.map((): Measured => ({ rates: [], waits: [] }));
      for (let round = 0; round < rounds; round += 1) {
        context.say(`  ${title}, round ${round + 1}`);
        for (const [index, count] of slotCounts.entries()) {
          const { rate, waits } = await measure(site, client, fragments, count);
          measured[index]?.rates.push(rate);
          measured[index]?.waits.push(waits);
        }
      }
      const single = measured[0]?.rates ?? [];
      for (const [index, count] of slotCounts.entries()) {
        const { rates, waits } = measured[index] ?? { rates: [], waits: [] };
        rows.push([
          title,
          String(count),
          shown(spreadOf(rates)),
          shown(ratioOf(rates, single)),
          number(spreadOf(waits.map(({ runnable }) => runnable)).median),
          topWaits(waits),
        ]);
      }
    }
    return [
      {
        title:
          'Items a second; × is the rate over that of one slot; the sessions of the slots as pg_stat_activity shows them',
        headings: [
          'fragments',
          'slots',
          'items/s',
          '×',
          'sessions that wait for nothing',
          'others wait for',
        ],
        rows,
      },
    ];
  },
};

async function measure(
  site: Site,
  client: Client,
  fragments: readonly Fragment[],
  slotCount: number,
): Promise<{ rate: number; waits: Waits }> {
  const watcher = await site.connectAs('admin');
  const runner = await createSlotRunner(site, slotCount);
  await reset(site);
  // A session's first run compiles its functions and fills its caches.
  await enqueue(client, site, sampleFragments(20 * slotCount));
  await runner.drain(isEmpty(watcher, site));
  await reset(site);
  await enqueue(client, site, fragments);
  const sampling = sampleWaits(site.admin, runner.sessions);
  const ms = await runner.drain(isEmpty(watcher, site), { pollMs: 10 });
  const waits = await sampling.stop();
  await assertOutcomes(site, { success: fragments.length });
  await Promise.all([watcher, ...runner.sessions].map((session) => session.end()));
  return { rate: (fragments.length / ms) * 1000, waits };
}

function topWaits(all: readonly Waits[]): string {
  const sums = new Map<string, number>();
  for (const { events } of all) {
    for (const [event, sessions] of Object.entries(events)) {
      sums.set(event, (sums.get(event) ?? 0) + sessions / all.length);
    }
  }
  const top = [...sums].toSorted(([, a], [, b]) => b - a).slice(0, 3);
  return top.map(([event, sessions]) => `${event} ${number(sessions)}`).join(', ');
}
