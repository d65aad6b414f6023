import { failureReport, failureText } from '../src/cli/failure.js';
import { styleOf } from '../src/cli/output/style.js';
import { table } from '../src/cli/output/table.js';
import type { ThrowawayCluster } from '../tools/throwaway/cluster.js';
import { findRuntime } from '../tools/throwaway/find-runtime.js';
import { startCluster } from '../tools/throwaway/start-cluster.js';
import type { Bench, ResultTable } from './bench.js';
import { bits } from './benches/bits.js';
import { cli } from './benches/cli.js';
import { cron } from './benches/cron.js';
import { dequeue } from './benches/dequeue.js';
import { drain } from './benches/drain.js';
import { enqueue } from './benches/enqueue.js';
import { fleet } from './benches/fleet.js';
import { idle } from './benches/idle.js';
import { slots } from './benches/slots.js';
import { describeMachine, type Machine } from './machine.js';
import { writeResults } from './report.js';
import { createSite, type Site } from './site.js';

// The idle bench comes first: nothing of the others may run at the same time. The fleet comes last:
// it changes the server's settings.
const benches: readonly Bench[] = [idle, cli, drain, cron, dequeue, bits, enqueue, slots, fleet];

const usage = `Usage: npm run bench [-- <bench>…]

Measures on a throwaway PostgreSQL with pg_cron, prints the results and puts them into bench/README.md.
Benches: ${benches.map(({ name }) => name).join(', ')}; without a name, all of them.
`;

// As durable as a real server, but no checkpoint may fall into a measurement.
const serverSettings = {
  fsync: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
};

const say = (line: string) => console.log(line);

/** Returns the exit code. */
export async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`There is no bench ${unknown.join(', ')}.\n${usage}`);
    return 2;
  }
  const chosen = benches.filter(({ name }) => names.length === 0 || names.includes(name));
  const start = performance.now();
  const runtime = await findRuntime({ env: process.env, say });
  const cluster = await startCluster(runtime, { settings: serverSettings });
  try {
    for (const bench of chosen) await runAndReport(bench, cluster);
  } catch (error) {
    process.stderr.write(
      `${failureText(failureReport(error), styleOf(process.stderr, process.env, false))}\n`,
    );
    return 1;
  } finally {
    await cluster.stop();
  }
  say(
    `\nDone in ${Math.round((performance.now() - start) / 1000)} s; the results are in bench/README.md.`,
  );
  return 0;
}

async function runAndReport(bench: Bench, cluster: ThrowawayCluster): Promise<void> {
  const machine = await describeMachine(cluster);
  say(`\n${bench.name}: ${machine.description}`);
  const tables = await runBench(bench, cluster, machine);
  for (const { title, headings, rows } of tables) {
    say(`\n${title}`);
    say(table(styleOf(process.stdout, process.env, false), headings, rows));
  }
  await writeResults(bench.name, machine.description, tables);
}

async function runBench(
  bench: Bench,
  cluster: ThrowawayCluster,
  { pgCronTakesSeconds }: Machine,
): Promise<readonly ResultTable[]> {
  const sites: Site[] = [];
  try {
    return await bench.run({
      cluster,
      pgCronTakesSeconds,
      say,
      site: async (options) => {
        const site = await createSite(cluster, options);
        sites.push(site);
        return site;
      },
    });
  } catch (error) {
    throw new Error(`the bench ${bench.name} failed`, { cause: error });
  } finally {
    for (const site of sites) await site.remove();
  }
}
