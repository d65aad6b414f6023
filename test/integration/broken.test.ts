import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Ran } from '../unit/cli/fake-world.js';
import { type Bench, createBench } from './broken/bench.js';
import { complaintsOf, statementsIn } from './broken/judge.js';
import type { Sabotage } from './broken/sabotage.js';
import { sabotages } from './broken/sabotages.js';

/** What they print is for people. */
const LOOKING = ['status', 'verify', 'history', 'doctor', 'plan'];

const WORKING = [
  'processor status',
  'processor disable --all',
  'processor set --parallel 2',
  'processor enable',
  'processor retry --dry-run',
  'processor run --count 1',
  'pause',
  'resume',
  'sync',
  'up',
  // Asks, and cannot: nothing is rolled back.
  'down --all --drop-data',
].map((line) => `${line} --json`);

/** Each takes as long as all the others, and they fail in the same ways: tried against every sixth sabotage. */
const SLOW = new Set(['doctor', 'plan', 'up --json', 'down --all --drop-data --json']);

/** That it is mended: nothing differs, and a fragment is worked on. */
const IN_ORDER = ['sync', 'verify', 'processor run --count 1'];

/**
 * A third of them on each of the two servers, since hardly any depends on the version; all on both take minutes, with
 * PCACHE_TEST_EXHAUSTIVE=all.
 */
const onThisServer = sabotages.filter(
  (_, index) =>
    process.env.PCACHE_TEST_EXHAUSTIVE === 'all' ||
    index % 3 === (inject('runtime').kind === 'docker' ? 0 : 1),
);

let bench: Bench;

beforeAll(async () => {
  bench = await createBench();
});

afterAll(() => bench?.remove());

it.each(onThisServer.map((sabotage, index) => ({ ...sabotage, isTriedByAll: index % 6 === 0 })))(
  '$name',
  async ({ isTriedByAll, ...sabotage }) => {
    const { names, run, execute } = bench;
    const { place, sql, thing } = sabotage;
    let undo = sabotage.undo;
    const rows = sabotage.keeps && (await bench.rowsOf(place, sabotage.keeps(names)));
    try {
      await execute(place, sql(names));
      const answers = new Map<string, Ran>();
      for (const line of [...LOOKING, ...WORKING]) {
        if (isTriedByAll || !SLOW.has(line) || needsDoctor(sabotage, line)) {
          answers.set(line, await run(line));
        }
      }
      const complaints = [...answers].flatMap(([line, ran]) =>
        complaintsOf(ran).map((complaint) => `${line} ${complaint}`),
      );
      expect(complaints).toEqual([]);
      const said = [...answers.values()].map(textOf).join('\n');
      expect(said).toContain(thing(names));

      if (sabotage.mend === 'undo') {
        await execute(place, undo?.(names) ?? []);
        undo = undefined;
      } else {
        await mend(sabotage, answers, said);
      }
      if (sabotage.keeps) {
        expect(await bench.rowsOf(place, sabotage.keeps(names))).toBe(rows);
      }
      for (const line of IN_ORDER) {
        const { code, stdout, stderr } = await run(line);
        expect([line, code, stdout + stderr]).toEqual([line, 0, stdout + stderr]);
      }
    } finally {
      if (undo) await execute(place, undo(names));
      await bench.restore(sabotage);
    }
  },
);

/** What a role or the server lacks, doctor alone says. */
function needsDoctor({ mend }: Sabotage, line: string): boolean {
  return line === 'doctor' && (mend === 'printed by doctor' || mend === 'undo');
}

/** Does what the answers tell. */
async function mend(
  { place, mend: how = ['verify --fix'] }: Sabotage,
  answers: ReadonlyMap<string, Ran>,
  said: string,
): Promise<void> {
  const { names, run, execute } = bench;
  if (typeof how === 'string') {
    const told = answers.get(how === 'printed' ? 'verify' : 'doctor');
    const statements = told === undefined ? [] : statementsIn(textOf(told));
    // What a role can give itself back.
    const byItself = statements.some((statement) => statement.includes('CURRENT_USER'));
    const who = byItself ? [`SET ROLE ${names.migrator}`] : [];
    await execute(place, [...who, ...statements]);
    // For what hangs on that.
    await run('verify --fix --yes');
    return;
  }
  for (const line of how) {
    expect(said).toContain(`pcache-migrate ${line}`);
    await run(/^(?:verify --|adopt)/.test(line) ? `${line} --yes` : line);
  }
}

function textOf({ stdout, stderr }: Ran): string {
  return `${stdout}${stderr}`;
}
