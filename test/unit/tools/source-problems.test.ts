import { describe, expect, it } from 'vitest';
import { pinOf } from '../../../tools/migrations/pins.js';
import { parseReleased, releaseEntry } from '../../../tools/migrations/released.js';
import { sourceProblems } from '../../../tools/migrations/source-problems.js';
import type { StreamSource } from '../../../tools/migrations/stream-source.js';
import { functionSource, nothingReleased, streamOf } from './sources.js';

const text = functionSource('f');
const changed = functionSource('f', '', 'SELECT 2');
const sound = streamOf(
  { f: text },
  { '0001_f': [pinOf({ name: 'f', text }), 'DROP FUNCTION {{schema}}.f;'] },
);
const released = parseReleased(releaseEntry('1.0.0', nothingReleased, [sound]));

function edited(half: 'up' | 'down', edit: (script: string) => string): StreamSource {
  return {
    ...sound,
    migrations: sound.migrations.map((pair) => ({ ...pair, [half]: edit(pair[half]) })),
  };
}

it('has none for a sound stream, released or not', () => {
  expect(sourceProblems([sound], nothingReleased)).toEqual([]);
  expect(sourceProblems([sound], released)).toEqual([]);
});

describe('finds', () => {
  it.each([
    [
      'a routine that differs from its newest pinned text',
      streamOf({ f: changed }, { '0001_f': [pinOf({ name: 'f', text }), 'SELECT 1;'] }),
      'routines/work/f.sql differs from the text that the migrations pin last',
    ],
    [
      'a routine in no migration',
      streamOf({ f: text }, {}),
      'routines/work/f.sql is in no migration',
    ],
    [
      'a routine whose source is gone',
      { ...sound, routines: [] },
      'routines/work/f.sql is gone, but the migrations still create f',
    ],
    [
      'a down that restores another text',
      streamOf(
        { f: changed },
        {
          '0001_f': [pinOf({ name: 'f', text }), 'SELECT 1;'],
          '0002_f': [pinOf({ name: 'f', text: changed }), pinOf({ name: 'f', text: changed })],
        },
      ),
      'migrations/0002_f.down.sql restores another text of f',
    ],
    [
      'a down that restores nothing',
      streamOf(
        { f: changed },
        {
          '0001_f': [pinOf({ name: 'f', text }), 'SELECT 1;'],
          '0002_f': [pinOf({ name: 'f', text: changed }), 'SELECT 1;'],
        },
      ),
      'migrations/0002_f.down.sql does not restore f, which its up changes',
    ],
    [
      'a pin that a refresh made impossible to replace',
      streamOf(
        { f: functionSource('f', 'p_a text') },
        {
          '0001_f': [pinOf({ name: 'f', text }), 'SELECT 1;'],
          '0002_f': [
            pinOf({ name: 'f', text: functionSource('f', 'p_a text') }),
            `DROP FUNCTION {{schema}}.f;\n${pinOf({ name: 'f', text })}`,
          ],
        },
      ),
      'migrations/0002_f.up.sql lacks "DROP FUNCTION {{schema}}.f;"',
    ],
  ])('%s', (_, source, problem) => {
    expect(sourceProblems([source], nothingReleased)).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [
      'a changed body',
      edited('up', (up) => `${up}\nSELECT 1;\n`),
      '0001_f.up.sql is released and has changed',
    ],
    [
      'a gutted down',
      edited('down', () => 'SELECT 1;\n'),
      '0001_f.down.sql is released and has changed',
    ],
    [
      'a changed comment',
      edited('up', (up) => `-- why\n${up}`),
      '0001_f.up.sql is released and has changed',
    ],
  ])('a released migration with %s', (_, source, problem) => {
    expect(sourceProblems([source], released)).toEqual([expect.stringContaining(problem)]);
    expect(sourceProblems([source], nothingReleased)).toEqual([]);
  });

  it('a released migration that is gone', () => {
    expect(sourceProblems([streamOf({}, {})], released)).toEqual([
      expect.stringContaining('migrations/0001_f.up.sql is released and gone'),
      expect.stringContaining('migrations/0001_f.down.sql is released and gone'),
    ]);
  });

  it('a new migration in front of a released one', () => {
    const squeezed = {
      ...sound,
      migrations: [{ name: '0000_early', up: 'SELECT 1;', down: 'SELECT 1;' }, ...sound.migrations],
    };
    expect(sourceProblems([squeezed], released)).toEqual([
      expect.stringContaining(
        'migrations/0000_early.up.sql is not released, but 0001_f after it is',
      ),
    ]);
  });
});

it('lists for a new version only what no earlier one released', () => {
  const later = {
    ...sound,
    migrations: [...sound.migrations, { name: '0002_more', up: 'SELECT 1;', down: 'SELECT 2;' }],
  };
  const entry = releaseEntry('1.1.0', released, [later]);
  expect(entry).toMatch(
    /^\n# version 1\.1\.0\n[0-9a-f]{64} {2}migrations\/0002_more\.up\.sql\n[0-9a-f]{64} {2}migrations\/0002_more\.down\.sql\n$/,
  );
});
