import { expect, it } from 'vitest';
import { createPrinter } from '../../../src/cli/output/printer.js';
import { fakeWorld } from './fake-world.js';

const SECRETS = ['app', "it's \\one"];
const SAID = `database app: CONTEXT: SQL statement "... (user 'x', password 'app')", password E'it''s \\\\one'`;
const MASKED = `database app: CONTEXT: SQL statement "... (user 'x', password '********')", password '********'`;

it('masks a password that the server quotes, and no other word like it', () => {
  const world = fakeWorld();
  const printer = createPrinter(world);
  printer.hide(SECRETS);
  printer.out(SAID);
  printer.err(SAID);
  expect(world.stdout.text).toBe(`${MASKED}\n`);
  expect(world.stderr.text).toBe(`${MASKED}\n`);
});

it('masks it in JSON, which stays JSON', () => {
  const world = fakeWorld();
  const printer = createPrinter(world);
  printer.hide(SECRETS);
  printer.json({ said: SAID });
  expect(JSON.parse(world.stdout.text)).toEqual({ said: MASKED });
});
