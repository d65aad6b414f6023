import { expect, test } from 'vitest';
import { confirmed } from '../../../src/cli/confirm.js';
import { fakeWorld } from './fake-world.js';

test.each([
  ['y\n', true],
  ['YES\n', true],
  [' y \n', true],
  ['n\n', false],
  ['\n', false],
  ['yeah\n', false],
  ['no\ny\n', false],
  ['', false],
])('the answer %j means %s', async (answer, expected) => {
  const world = fakeWorld({ terminal: true });
  world.stdin.end(answer);
  expect(await confirmed(world, 'Go on?')).toBe(expected);
  expect(world.stderr.text).toBe('Go on? [y/N] ');
  expect(world.stdout.text).toBe('');
});
