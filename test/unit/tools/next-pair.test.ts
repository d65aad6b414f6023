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

  it('drops the views that read what it drops, and makes them again', () => {
    const view = viewSource('v', 'SELECT {{schema}}.f()');
    const viewOfView = viewSource('w', 'SELECT * FROM {{schema}}.v');
    const source = streamOf(
      { f: functionSource('f', 'p_a text DEFAULT NULL'), v: view, w: viewOfView },
      {
        '0001_f': [
          ['f', 'v', 'w']
            .map((name, index) => pinOf({ name, text: [old, view, viewOfView][index] ?? '' }))
            .join('\n'),
          'SELECT 1;',
        ],
      },
    );
    const { up, down } = nextPair(source, 'change_f');
    for (const script of [up, down]) {
      expect(script).toContain(
        'DROP VIEW {{schema}}.w;\nDROP VIEW {{schema}}.v;\nDROP FUNCTION {{schema}}.f;\n',
      );
      expect(script.match(/^--! routine \w+$/gm)).toEqual([
        '--! routine f',
        '--! routine v',
        '--! routine w',
      ]);
    }
  });

  it('drops a view in down before the new function that it has come to read', () => {
    const view = viewSource('v');
    const source = streamOf(
      { v: viewSource('v', 'SELECT {{schema}}.z()'), z: functionSource('z') },
      { '0001_v': [pinOf({ name: 'v', text: view }), 'SELECT 1;'] },
    );
    const { down } = nextPair(source, 'use_z');
    expect(down).toContain('DROP VIEW {{schema}}.v;\nDROP FUNCTION {{schema}}.z;\n');
    expect(down).toContain(pinOf({ name: 'v', text: view }));
  });

  it('revokes what is no longer granted, in the direction in which it is lost', () => {
    const granting = `${old}GRANT EXECUTE ON FUNCTION {{schema}}.f TO {{cron_role}};\n`;
    const revoke = 'REVOKE EXECUTE ON FUNCTION {{schema}}.f FROM {{cron_role}};';
    const lost = nextPair(
      streamOf({ f: old }, { '0001_f': [pinOf({ name: 'f', text: granting }), 'SELECT 1;'] }),
      'revoke_f',
    );
    expect([lost.up.includes(revoke), lost.down.includes(revoke)]).toEqual([true, false]);
    const granted = nextPair(streamOf({ f: granting }, pinned), 'grant_f');
    expect([granted.up.includes(revoke), granted.down.includes(revoke)]).toEqual([false, true]);
    expect(granted.up + granted.down).not.toContain('DROP');
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
