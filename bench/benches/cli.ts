import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { escapeIdentifier } from 'pg';
import type { Bench, BenchContext, ResultTable } from '../bench.js';
import { buildAt, buildOurs } from '../cli/builds.js';
import { invoke } from '../cli/invoke.js';
import { type OtherTool, otherTools } from '../cli/other-tools.js';
import type { Invocation, Measured } from '../cli/tool.js';
import type { Site } from '../site.js';
import { number, ratioOf, shown, spreadOf } from '../stats.js';

const rounds = 9;
const ALONE = 'node -e 0';
const ONE_DATABASE = 'node-pg-migrate up';

const COMMANDS = [
  { command: '--version', goal: 'goal ≤ 2 of node' },
  { command: '--help', goal: 'goal ≤ 2 of node' },
  { command: 'status', goal: 'goal ≤ 1 of node-pg-migrate' },
  { command: 'up', goal: 'goal ≤ 1 of node-pg-migrate' },
] as const;

/** With what today's command line is compared: a commit, or a name of one. */
const baseline = process.env.PCACHE_BENCH_BASELINE ?? 'main';

export const cli: Bench = {
  name: 'cli',
  async run(context) {
    const folder = await mkdtemp(path.join(tmpdir(), 'pcache-bench-'));
    try {
      const measured = await warmedUp(await prepare(context, folder));
      return [resultTable(measured, await timesOf(measured, context))];
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function prepare(context: BenchContext, folder: string): Promise<Measured[]> {
  const site = await context.site({ name: 'cli', scheduled: true });
  const at = folderIn(folder);
  context.say('  building');
  const ours = await buildOurs(path.join(folder, 'ours'));
  const before = await buildAt(baseline, path.join(folder, 'baseline')).catch(reasonOf);
  const pcache = (main: string, ...args: string[]) =>
    invocation([main, ...args], folder, site.environment);
  // Else its idle runs would be measured, too.
  await invoke(pcache(ours, 'processor', 'disable', '--all'));
  const rows: Measured[] = [
    { title: ALONE, run: invocation(['-e', '0'], folder, {}) },
    ...COMMANDS.map(({ command, goal }) => ({
      title: `**${command}** (${goal})`,
      run: pcache(ours, command),
    })),
    ...COMMANDS.map(({ command }) => ({
      title: `${command}, ${typeof before === 'string' ? baseline : before.commit}`,
      run: typeof before === 'string' ? before : pcache(before.main, command),
    })),
  ];
  for (const tool of otherTools) {
    context.say(`  ${tool.name}`);
    rows.push(...(await prepareOther(tool, site, await at(tool.name))));
  }
  return rows;
}

function folderIn(folder: string) {
  return async (name: string) => {
    const inner = path.join(folder, name);
    await mkdir(inner);
    return inner;
  };
}

function invocation(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Invocation {
  return { program: process.execPath, args, cwd, env };
}

async function prepareOther(
  { name, prepare }: OtherTool,
  { admin, settings: { work } }: Site,
  folder: string,
): Promise<readonly Measured[]> {
  const database = `${work.database}_${name}`;
  await admin.query(
    `CREATE DATABASE ${escapeIdentifier(database)} OWNER ${escapeIdentifier(work.user)}`,
  );
  const { host, port, user, password = '' } = work;
  return prepare({
    folder,
    database,
    url: `postgres://${user}:${password}@${host}:${port}/${database}`,
    connection: { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password },
  }).catch((error) => [{ title: name, run: reasonOf(error) }]);
}

function reasonOf(error: Error): string {
  return error.message.split('\n')[0]?.slice(0, 200) ?? '';
}

/** Of what does not succeed, the reason: a baseline, for one, may have other migrations. */
async function warmedUp(measured: readonly Measured[]): Promise<Measured[]> {
  const rows: Measured[] = [];
  for (const { title, run } of measured) {
    rows.push({
      title,
      run: typeof run === 'string' ? run : await invoke(run).then(() => run, reasonOf),
    });
  }
  return rows;
}

/** The milliseconds of each row, round by round in turn. */
async function timesOf(
  measured: readonly Measured[],
  context: BenchContext,
): Promise<readonly number[][]> {
  const times = measured.map((): number[] => []);
  for (let round = 1; round <= rounds; round += 1) {
    context.say(`  round ${round} of ${rounds}`);
    for (const [index, { run }] of measured.entries()) {
      if (typeof run === 'string') continue;
      times[index]?.push(await invoke(run));
    }
  }
  return times;
}

function resultTable(measured: readonly Measured[], times: readonly number[][]): ResultTable {
  const timesOfRow = (title: string) =>
    times[measured.findIndex((row) => row.title === title)] ?? [];
  return {
    title: `Milliseconds from the start of the process to its end, ${number(rounds)} rounds; × is the time over that of ${ALONE}, and over that of ${ONE_DATABASE}`,
    headings: ['command', 'ms', '× node', '× node-pg-migrate'],
    rows: measured.map(({ title, run }, index) => {
      if (typeof run === 'string') return [title, `not measured: ${run}`, '', ''];
      const own = times[index] ?? [];
      return [
        title,
        shown(spreadOf(own)),
        shown(ratioOf(own, timesOfRow(ALONE))),
        shown(ratioOf(own, timesOfRow(ONE_DATABASE))),
      ];
    }),
  };
}
