import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import dotenv from 'dotenv';
import { expect, test } from 'vitest';
import { envExample, variableTable } from '../../../src/settings/documentation.js';
import { loadSettings } from '../../../src/settings/load.js';
import { VARIABLES } from '../../../src/settings/variables.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const names = VARIABLES.map(({ name }) => name);

test('.env.example matches the catalogue (update it with vitest -u)', async () => {
  await expect(envExample()).toMatchFileSnapshot(`${root}.env.example`);
});

test('.env.example documents every variable of the catalogue and no other', () => {
  const documented = readFileSync(`${root}.env.example`, 'utf8').matchAll(/^#?([A-Z_]+)=/gm);
  expect([...documented].map(([, name]) => name)).toEqual(names);
});

test('.env.example works as it is, and also with every default written out', () => {
  const text = readFileSync(`${root}.env.example`, 'utf8');
  for (const env of [dotenv.parse(text), dotenv.parse(text.replaceAll(/^#(?=[A-Z])/gm, ''))]) {
    expect(loadSettings({ env, cwd: '/nonexistent' })).toMatchObject({ ok: true });
  }
});

test('the table of variables has one row for each variable', () => {
  const rows = [...variableTable().matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(names);
});

test('no name occurs twice in the catalogue', () => {
  expect(new Set(names).size).toBe(names.length);
});
