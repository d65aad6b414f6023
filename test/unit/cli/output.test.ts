import { execFileSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import { safeFor, styleOf } from '../../../src/cli/output/style.js';
import { table } from '../../../src/cli/output/table.js';
import { duration, milliseconds, relativeTime } from '../../../src/cli/output/time.js';
import { shellWord } from '../../../src/cli/shell-word.js';
import { cli } from './fake-world.js';

const terminal = { write: () => {}, isTTY: true };
const file = { write: () => {} };
const BOLD = '\u001b[1mx\u001b[0m';

test.each([
  ['a terminal', terminal, {}, false, BOLD],
  ['a file', file, {}, false, 'x'],
  ['NO_COLOR', terminal, { NO_COLOR: '1' }, false, 'x'],
  ['an empty NO_COLOR', terminal, { NO_COLOR: '' }, false, BOLD],
  ['a dumb terminal', terminal, { TERM: 'dumb' }, false, 'x'],
  ['--no-color', terminal, {}, true, 'x'],
])('colour with %s', (_, stream, env, noColor, expected) => {
  expect(styleOf(stream, env, noColor).bold('x')).toBe(expected);
});

describe('a table', () => {
  const rows = [
    ['übung', 1],
    ['b\nb', 20],
  ];

  it('is aligned, each row on one line', () => {
    expect(table(styleOf(file, {}, false), ['name', 'n'], rows)).toBe(
      'name   n\nübung  1\nb\\nb   20',
    );
  });

  it('has a rule on a terminal', () => {
    expect(table(styleOf(terminal, {}, true), ['name', 'n'], rows)).toBe(
      'name   n\n─────  ──\nübung  1\nb\\nb   20',
    );
  });
});

test('nothing but our colours controls a terminal, and nothing else where there are none', () => {
  const text = `${BOLD} \u001b]0;title\u0007 \u001b[2J\u001b[8m a\tb\nc\u009b1m`;
  const escaped = '\\u001b]0;title\\u0007 \\u001b[2J\\u001b[8m a\\tb\nc\\u009b1m';
  expect(safeFor(styleOf(terminal, {}, false), text)).toBe(`${BOLD} ${escaped}`);
  expect(safeFor(styleOf(terminal, {}, true), text)).toBe(`\\u001b[1mx\\u001b[0m ${escaped}`);
});

test.each([
  [0, 'now'],
  [-20, '20 s ago'],
  [119, 'in 119 s'],
  [-150, '2 min ago'],
  [7200, 'in 2 h'],
  [-3 * 86_400, '3 d ago'],
])('%d s away is %s', (seconds, text) => {
  const now = new Date('2026-01-01T12:00:00Z');
  expect(relativeTime(new Date(now.getTime() + seconds * 1000), now)).toBe(text);
});

test('durations', () => {
  expect([0.0123, 5.4, 150].map(duration)).toEqual(['12 ms', '5 s', '2 min']);
});

test.each([
  [0.4237, '0.424 ms'],
  [12, '12 ms'],
  [999.4, '999 ms'],
  [999.6, '1 s'],
  [1530, '1.53 s'],
  [9994, '9.99 s'],
  [12_345, '12 s'],
  [9_999_999.999, '2 h'],
])('%d ms are %s', (ms, text) => {
  expect(milliseconds(ms)).toBe(text);
});

test('a file name with a space or quote is one shell word', () => {
  expect(shellWord('conf/prod.env')).toBe('conf/prod.env');
  expect(shellWord("it's prod.env")).toBe("'it'\\''s prod.env'");
});

test('a file name that cannot be shown is a shell word that means the same', () => {
  const name = "it's \\n\n\u001b[2J.env";
  const word = shellWord(name);
  expect(word).toBe("$'it\\'s \\\\n\\n\\u001b[2J.env'");
  expect(execFileSync('bash', ['-c', `printf %s ${word}`], { encoding: 'utf8' })).toBe(name);
});

test('a terminal gets a heading with a rule, in colour', async () => {
  const { stdout } = await cli(['config'], { terminal: true });
  const [heading, rule] = stdout.split('\n');
  expect(heading?.startsWith('\u001b[1mvariable ')).toBe(true);
  expect(rule?.startsWith('\u001b[2m──')).toBe(true);
});
