import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { clear, createStage, type Stage } from '../harness/stage.js';
import type { Ran } from '../unit/cli/fake-world.js';
import { complaintsOf } from './broken/judge.js';
import { answerOf, rowOf } from './states/answer.js';
import { type State, states } from './states/states.js';

// docs/states.md says how each command answers in each state. To write that table again, which takes a quarter of an
// hour: npm run states

const PAGE = 'docs/states.md';
const MARKS = [
  '<!-- table: written by test/integration/states.test.ts -->',
  '<!-- /table -->',
] as const;

const isWriting = process.env.PCACHE_WRITE_STATES === '1';
const isComplete = isWriting || process.env.PCACHE_TEST_EXHAUSTIVE === 'all';
/** A few in each run of CI; what they have to do with is the same in both versions of PostgreSQL. */
const tried = states.filter(({ isSlow }, index) => isComplete || (!isSlow && index % 12 === 1));

/** In a state that looking has not changed; each of those that change something finds it made anew. */
const LOOKING = ['status', 'verify', 'history'] as const;
const CHANGING = ['pause', 'resume', 'sync', 'up', 'down', 'mode', 'adopt'] as const;

describe.skipIf(inject('runtime').kind === 'local')('the table of states', () => {
  let stage: Stage;
  const rows = new Map<string, string>();

  beforeAll(async () => {
    stage = await createStage();
    return async () => {
      await stage.remove();
      if (isWriting) write(rows);
    };
  });

  it.each(tried)(
    '$name',
    async (state) => {
      const answers = new Map<string, string>();
      const complaints: string[] = [];
      const answer = async (command: string) => {
        const ran = await stage.run(`${lineOf(command, stage)} --json`);
        answers.set(command, answerOf(ran));
        return ran;
      };
      const judge = (command: string, ran: Ran) =>
        complaints.push(...complaintsOf(ran).map((complaint) => `${command} ${complaint}`));
      await begin(state);
      for (const command of LOOKING) {
        await answer(command);
        // What they found is in the document; the text says what to do about it.
        judge(command, await stage.run(command));
      }
      for (const command of CHANGING) {
        await begin(state);
        const ran = await answer(command);
        const isReport = ran.code !== 0 && !ran.stdout.includes('"error"');
        // What is left undone is in the report; the text says what to do about it.
        judge(command, isReport ? await stage.run(lineOf(command, stage)) : ran);
      }
      const row = rowOf(state, [...answers.values()]);
      rows.set(state.name, row);
      expect(complaints).toEqual([]);

      await begin(state);
      await state.first?.act(stage);
      for (const line of state.mend) await stage.mustRun(line);
      const { code, stdout, stderr } = await stage.run('status');
      expect(code, stdout + stderr).toBe(0);
      if (!isWriting) expect(readFileSync(PAGE, 'utf8').split('\n')).toContain(row);
    },
    180_000,
  );

  async function begin(state: State): Promise<void> {
    await clear(stage);
    await state.make(stage);
  }
});

it('docs/states.md has a row for each state', () => {
  const page = readFileSync(PAGE, 'utf8');
  expect(states.filter(({ name }) => !page.includes(`\n| ${name} | `))).toEqual([]);
});

function lineOf(command: string, stage: Stage): string {
  const settings = stage.settings();
  if (command === 'mode') return `mode ${settings.mode} --yes`;
  return ['down', 'adopt'].includes(command) ? `${command} --yes` : command;
}

/** The rows of the states that were tried; of the others, those that are there. */
function write(made: ReadonlyMap<string, string>): void {
  const page = readFileSync(PAGE, 'utf8');
  const lines = page.split('\n');
  const head = ['state', ...LOOKING, ...CHANGING, 'in order again by'];
  const table = [
    MARKS[0],
    '',
    `| ${head.join(' | ')} |`,
    `| ${head.map(() => '---').join(' | ')} |`,
    ...states.flatMap(
      ({ name }) => made.get(name) ?? lines.find((line) => line.startsWith(`| ${name} | `)) ?? [],
    ),
    '',
    MARKS[1],
  ].join('\n');
  const [from, to] = [page.indexOf(MARKS[0]), page.indexOf(MARKS[1]) + MARKS[1].length];
  writeFileSync(PAGE, page.slice(0, from) + table + page.slice(to));
}
