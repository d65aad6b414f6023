import { describe, expect, test } from 'vitest';
import { VARIABLES } from '../../../src/settings/variables.js';
import { expectHarmless, HOSTILE } from '../../harness/hostile-text.js';
import { loadedCommands } from '../../harness/loaded-commands.js';
import { cli, ENV } from './fake-world.js';

/** Every place of a command line where a word can stand. */
const COMMAND_LINES: readonly string[][] = [
  [HOSTILE],
  ['processor', HOSTILE],
  [`--${HOSTILE}`],
  [`-${HOSTILE}`],
  ['status', '--env-file', HOSTILE],
  ['up', '--stream', HOSTILE],
  ['up', `--stream=${HOSTILE}`],
  ...loadedCommands.flatMap(({ name, options }) => {
    const words = name.split(' ');
    return [
      [...words, HOSTILE],
      [...words, 'name', HOSTILE],
      [...words, `--${HOSTILE}`],
      [...words, `--${HOSTILE}`, `--${HOSTILE}2`],
      [...words, '--json', HOSTILE, `--${HOSTILE}`],
      ...Object.keys(options).map((option) => [...words, `--${option}`, HOSTILE]),
    ];
  }),
];

test.each(COMMAND_LINES)('command line %#', async (...argv) => {
  for (const terminal of [false, true]) {
    const { code, stdout, stderr } = await cli(argv, { terminal });
    expect(code).not.toBe(0);
    // As JSON, which has its own way to write them.
    const said = argv.includes('--json') ? JSON.parse(stdout).error.message : stdout;
    expectHarmless(said, { coloured: terminal });
    expectHarmless(stderr, { coloured: terminal });
  }
});

describe('a variable', () => {
  test.each(VARIABLES.map(({ name }) => name))('%s', async (name) => {
    for (const value of [HOSTILE, `postgresql://${HOSTILE}:${HOSTILE}@h/${HOSTILE}`]) {
      for (const command of ['config', 'status']) {
        const { stdout, stderr } = await cli([command], { env: { ...ENV, [name]: value } });
        expectHarmless(stdout + stderr);
      }
    }
  });
});
