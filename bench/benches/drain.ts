import { createAlternative, fillAlternative, runAlternative } from '../alternative.js';
import { bareTable, createBareTables, fillBareFragments, runBareLoop } from '../bare-loop.js';
import type { Bench, BenchContext } from '../bench.js';
import {
  assertOutcomes,
  assertSameSets,
  createSlotRunner,
  hasLeft,
  lastQueueId,
  reset,
} from '../processor.js';
import {
  createSampleTable,
  enqueue,
  type Fragment,
  heavyFragments,
  lightFragments,
  literalFragments,
  sampleFragments,
  trickyFragments,
} from '../sample-data.js';
import { ratioOf, shown, spreadOf } from '../stats.js';

interface Workload {
  readonly title: string;
  readonly fragments: readonly Fragment[];
}

const workloads: readonly Workload[] = [
  { title: 'light', fragments: lightFragments(2_000) },
  { title: '**sample** (goal ≤ 1.5)', fragments: sampleFragments(2_000) },
  { title: 'sample, literals and parentheses', fragments: literalFragments(2_000) },
  { title: 'sample, tricky literals', fragments: trickyFragments(2_000) },
  { title: 'heavy (200 fragments)', fragments: heavyFragments(200) },
];
const rounds = 5;
const roundsOfAlternative = 2;

export const drain: Bench = {
  name: 'drain',
  async run(context) {
    const measure = await prepare(context);
    const rows: string[][] = [];
    for (const workload of workloads) {
      context.say(`  ${workload.title}`);
      rows.push(await measure(workload));
    }
    return [
      {
        title: 'Milliseconds an item, one session; × is the time over that of the bare loop',
        headings: ['fragments', 'bare loop', 'ours', '×', 'overhead', 'alternative', '× '],
        rows,
      },
    ];
  },
};

async function prepare(context: BenchContext) {
  const site = await context.site({ name: 'drain' });
  await createSampleTable(site);
  const client = await site.connectAs('client');
  const watcher = await site.connectAs('admin');
  const bare = await site.connectAs('admin');
  const alternative = await site.connectAs('admin');
  const runner = await createSlotRunner(site, 1);

  const ours = async (fragments: readonly Fragment[]) => {
    await reset(site);
    await enqueue(client, site, fragments);
    const ms = await runner.drain(hasLeft(watcher, site, await lastQueueId(site)));
    await assertOutcomes(site, { success: fragments.length });
    return ms / fragments.length;
  };
  const theBareLoop = async (fragments: readonly Fragment[]) => {
    await fillBareFragments(bare, fragments);
    return (await runBareLoop(bare)) / fragments.length;
  };
  const theAlternative = async (fragments: readonly Fragment[]) => {
    await fillAlternative(alternative, fragments);
    return (await runAlternative(alternative, fragments.length)) / fragments.length;
  };

  // Creates the cache table that the bare one is modelled on.
  await ours(sampleFragments(1));
  await createBareTables(bare, site);
  await createAlternative(alternative);

  return async ({ title, fragments }: Workload): Promise<string[]> => {
    // Warm-up: after this, every session has seen these fragments once.
    await theBareLoop(fragments);
    await ours(fragments);
    const times = { ours: [] as number[], bare: [] as number[], alternative: [] as number[] };
    for (let round = 0; round < rounds; round += 1) {
      const inTurn = [
        async () => times.bare.push(await theBareLoop(fragments)),
        async () => times.ours.push(await ours(fragments)),
      ];
      if (round % 2 === 1) inTurn.reverse();
      for (const run of inTurn) await run();
      await assertSameSets(site.admin, site.tables.cache, bareTable);
      if (round < roundsOfAlternative) times.alternative.push(await theAlternative(fragments));
    }
    return [
      title,
      shown(spreadOf(times.bare)),
      shown(spreadOf(times.ours)),
      shown(ratioOf(times.ours, times.bare)),
      shown(spreadOf(times.ours.map((ms, round) => ms - (times.bare[round] ?? 0)))),
      shown(spreadOf(times.alternative)),
      shown(ratioOf(times.alternative, times.bare)),
    ];
  };
}
