import { describe, expect, it } from 'vitest';
import { nextPair, UNEXPLAINED } from '../../../tools/migrations/next-pair.js';
import { pinOf } from '../../../tools/migrations/pins.js';
import { sourceProblems } from '../../../tools/migrations/source-problems.js';
import { functionSource, nothingReleased, streamOf, viewSource, withMigration } from './sources.js';

const old = functionSource('f');
const pinned = {
  '0001_f': [pinOf({ name: 'f', text: old }), 'DROP FUNCTION {{schema}}.f;'],
} as const;

describe('the next migration', () => {
  it('has the new text of a changed routine in up, and the text before in down', () => {
    const changed = functionSource('f', '', 'SELECT 2');
    const pair = nextPair(streamOf({ f: changed }, pinned), 'change_f');
    expect(pair).toEqual({
      name: '0002_change_f',
      up: `${UNEXPLAINED}\n\n${pinOf({ name: 'f', text: changed })}`,
      down: `${UNEXPLAINED}\n\n${pinOf({ name: 'f', text: old })}`,
    });
  });

  it('drops first what CREATE OR REPLACE cannot change', () => {
    const changed = functionSource('f', 'p_a text');
    const { up, down } = nextPair(streamOf({ f: changed }, pinned), 'change_f');
    expect(up).toContain(`DROP FUNCTION {{schema}}.f;\n\n${pinOf({ name: 'f', text: changed })}`);
    expect(down).toContain(`DROP FUNCTION {{schema}}.f;\n\n${pinOf({ name: 'f', text: old })}`);
  });

  it('drops a new routine in down, after what uses it', () => {
    const source = streamOf(
      { f: old, v: viewSource('v', 'SELECT {{schema}}.z()'), z: functionSource('z') },
      pinned,
    );
    const { up, down } = nextPair(source, 'add_v');
    expect(up.indexOf('--! routine z')).toBeGreaterThan(-1);
    expect(up.indexOf('--! routine v')).toBeGreaterThan(up.indexOf('--! routine z'));
    expect(down).toBe(`${UNEXPLAINED}\n\nDROP VIEW {{schema}}.v;\nDROP FUNCTION {{schema}}.z;\n`);
  });

  it('drops a routine whose source is gone, says so, and brings it back in down', () => {
    const { up, down } = nextPair(streamOf({}, pinned), 'drop_f');
    expect(up).toContain('--! dropped f\nDROP FUNCTION {{schema}}.f;\n');
    expect(down).toContain(pinOf({ name: 'f', text: old }));
    expect(down).not.toContain('DROP');
  });

  it('is for the author to fill in when no routine has changed', () => {
    expect(nextPair(streamOf({ f: old }, pinned), 'a_table')).toEqual({
      name: '0002_a_table',
      up: `${UNEXPLAINED}\n`,
      down: `${UNEXPLAINED}\n`,
    });
  });

  it.each([
    ['changed', { f: functionSource('f', '', 'SELECT 2') }],
    ['added', { f: old, g: functionSource('g') }],
    ['removed', {}],
  ])('leaves nothing to complain about but its explanation: a routine %s', (_, routines) => {
    const source = streamOf(routines, pinned);
    const after = withMigration(source, nextPair(source, 'next'));
    expect(sourceProblems([source], nothingReleased)).toHaveLength(1);
    expect(sourceProblems([after], nothingReleased)).toEqual([
      'migrations/0002_next.up.sql does not say why.',
      'migrations/0002_next.down.sql does not say why.',
    ]);
  });
});
