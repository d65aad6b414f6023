import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { asAdministrator } from '../../src/settings/settings.js';
import { environmentFor, settingsFrom } from '../../tools/quickstart/environment.js';
import type { Bench, BenchContext } from '../bench.js';
import { buildAt } from '../cli/builds.js';
import { connect } from '../connect.js';
import { type AtRest, watchAtRest } from '../fleet/at-rest.js';
import { besideBacklogs, secondsBefore } from '../fleet/beside-backlogs.js';
import { deployFleet, type Fleet, type Member } from '../fleet/deploy-fleet.js';
import { firstResults, type Waited, waitedText } from '../fleet/first-results.js';
import { trivialFragments } from '../fleet/fragments.js';
import { type RampUp, rampUp, rampUpText } from '../fleet/ramp-up.js';
import { failedRuns } from '../scheduled.js';
import { number, spreadOf } from '../stats.js';

const places = 32;
const askedAtOnce = 10;
const rounds = 3;

// Before pg_cron 1.5 jobs start at full minutes, and an idle run may stay for one.
const secondsToSettle = 120;
const secondsAtRest = 180;
// What a round has woken may stay for a while; the next one asks others.
const secondsBetweenRounds = 10;

interface Row {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
}

/** Whose fleet is measured. */
interface Build {
  readonly title: string;
  readonly name: string;
  /** Its command line; undefined: this checkout. */
  readonly deployedBy?: string;
}

export const fleet: Bench = {
  name: 'fleet',
  async run(context) {
    const count = fleetSize(process.env.PCACHE_BENCH_FLEET ?? '30');
    await context.cluster.restart({
      settings: { 'cron.max_running_jobs': String(places), max_connections: '200' },
    });
    const folder = await mkdtemp(path.join(tmpdir(), 'pcache-bench-'));
    try {
      const columns: { title: string; rows: readonly Row[] }[] = [];
      for (const build of await buildsToMeasure(context, folder)) {
        columns.push({ title: build.title, rows: await measureFleet(context, build, count) });
      }
      const [{ rows = [] } = {}] = columns;
      return [
        {
          title: `${number(count)} deployments with default settings (5 slots, every second) share cron.max_running_jobs = ${places}`,
          headings: ['', ...columns.map(({ title }) => title), 'goal'],
          rows: rows.map(({ what, goal }, index) => [
            what,
            ...columns.map((column) => column.rows[index]?.measured ?? ''),
            goal,
          ]),
        },
      ];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

function fleetSize(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 2 && count <= 60) return count;
  throw new Error(
    `PCACHE_BENCH_FLEET is '${text}'; it can be 2 to 60 deployments, or unset for 30`,
  );
}

/** This checkout, and before it the commit that it is to be compared with, if one is named. */
async function buildsToMeasure(context: BenchContext, folder: string): Promise<Build[]> {
  const ours = { title: 'ours', name: 'fleet' };
  const baseline = process.env.PCACHE_BENCH_BASELINE;
  if (baseline === undefined) return [ours];
  context.say(`  building ${baseline}`);
  const { commit, main } = await buildAt(baseline, path.join(folder, 'baseline'));
  return [{ title: commit, name: 'fleet_before', deployedBy: main }, ours];
}

async function measureFleet(
  context: BenchContext,
  { title, ...build }: Build,
  count: number,
): Promise<Row[]> {
  const settings = settingsFrom(environmentFor(context.cluster), import.meta.dirname);
  const observer = await connect(asAdministrator(settings.cron, settings.admin));
  const say = (line: string) => context.say(`  ${title}: ${line}`);
  say('one deployment');
  const deployed = await deployFleet(context.cluster, build);
  try {
    return await measure({ ...context, say }, observer, deployed, count);
  } finally {
    await deployed.remove();
    await observer.end();
  }
}

async function measure(
  { cluster, say }: BenchContext,
  observer: Client,
  deployed: Fleet,
  count: number,
): Promise<Row[]> {
  const { members } = deployed;
  const [first] = members;
  if (first === undefined) throw new Error('the fleet has no deployment');
  const settle = async () => {
    say('settling');
    await sleep(secondsToSettle * 1000);
  };
  await settle();
  say('the backlog of one alone');
  const alone = await rampUp(observer, first);

  say(`${count} deployments`);
  await deployed.growTo(count);
  await settle();
  const failedBefore = await failedRuns(observer, first.site);
  say('at rest');
  const atRest = await watchAtRest(cluster, observer, deployed, secondsAtRest);
  const failedAtRest = await failedRuns(observer, first.site);

  const [one, another] = trivialFragments(2);
  if (one === undefined || another === undefined) throw new Error('there are no fragments');
  const waited: Waited[] = [];
  const groups = groupsOf(members);
  for (const [index, group] of groups.entries()) {
    say(`${group.length} at once, round ${index + 1}`);
    waited.push(...(await firstResults(group, one)));
    await sleep(secondsBetweenRounds * 1000);
  }

  await settle();
  const rampUps: RampUp[] = [];
  for (const member of members.slice(1, 1 + rounds)) {
    say('the backlog of one while the others rest');
    rampUps.push(await rampUp(observer, member));
    await sleep(secondsBetweenRounds * 1000);
  }

  await settle();
  const busy = members.slice(0, Math.min(3, Math.floor(count / 2)));
  const others = members.slice(busy.length);
  say(`${busy.length} with a backlog, and one fragment for each of the others`);
  const beside = await besideBacklogs(observer, busy, others, another);
  const failedAfter = await failedRuns(observer, first.site);

  return [
    ...rowsAtRest(atRest, count),
    {
      what: 'at rest: failed runs',
      measured: failedText(failedBefore, failedAtRest),
      goal: '0',
    },
    {
      what: `a fragment for ${groups[0]?.length} at once, from rest: seconds to the result, median and most of ${groups.length} rounds`,
      measured: waitedText(waited),
      goal: 'at most 5 (pg_cron 1.4: 65)',
    },
    {
      what: 'a backlog for one of them, the others at rest: seconds until all 5 slots work',
      measured: rampUpText(rampUps),
      goal: '≤ 15',
    },
    {
      what: 'the same, alone on the server',
      measured: rampUpText([alone]),
      goal: '≤ 15',
    },
    {
      what: `a fragment for each of ${others.length} after ${secondsBefore} s in which ${busy.length} had a backlog: seconds to the result, median and most`,
      measured: waitedText(beside.waited),
      goal: 'at most 60',
    },
    {
      what: `slots at work in one of the ${busy.length} in those ${secondsBefore} s, on average`,
      measured: number(beside.atWork),
      goal: '',
    },
    {
      what: 'failed runs in all of this',
      measured: failedText(failedBefore, failedAfter),
      goal: '0',
    },
  ];
}

/** As many groups as there are rounds, if there are enough; nobody is in two. */
function groupsOf(members: readonly Member[]): Member[][] {
  const size = Math.min(askedAtOnce, Math.max(1, Math.floor(members.length / rounds)));
  return Array.from({ length: rounds }, (_, round) =>
    members.slice(round * size, (round + 1) * size),
  ).filter((group) => group.length > 0);
}

function rowsAtRest({ seconds, sessions, runs, cpuSeconds }: AtRest, count: number): Row[] {
  const mean = sessions.reduce((sum, some) => sum + some, 0) / sessions.length;
  return [
    {
      what: 'at rest: sessions of pg_cron a deployment, on average',
      measured: number(mean / count),
      goal: '≤ 1.2',
    },
    {
      what: 'at rest: sessions of pg_cron at once, of all',
      measured: number(spreadOf(sessions).most),
      goal: '',
    },
    {
      what: 'at rest: rows in cron.job_run_details a deployment and day',
      measured: number((runs / count / seconds) * 86_400),
      goal: '≤ 8,000',
    },
    {
      what: 'at rest: CPU seconds of the server a deployment and hour',
      measured:
        cpuSeconds === undefined
          ? 'not to be seen'
          : number((cpuSeconds / count / seconds) * 3_600),
      goal: '≤ 15',
    },
  ];
}

type FailedRuns = Awaited<ReturnType<typeof failedRuns>>;

/** Those that have failed between these two looks: `0`, or `3 × job startup timeout`. */
function failedText(before: FailedRuns, after: FailedRuns): string {
  const failed = [...after]
    .map(([message, count]) => ({ message, count: count - (before.get(message) ?? 0) }))
    .filter(({ count }) => count > 0);
  return failed.length === 0
    ? '0'
    : failed.map(({ message, count }) => `${number(count)} × ${message}`).join('; ');
}
