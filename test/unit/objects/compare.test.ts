import { describe, expect, it } from 'vitest';
import { type Compared, compareObjects } from '../../../src/objects/compare.js';
import { listed, recorded, V15, V17 } from './objects.js';

const named = (compared: Partial<Compared>) =>
  compareObjects({
    expected: [],
    found: [],
    ofOthers: [],
    serverVersionNum: V17,
    ...compared,
  }).differences.map(({ problem, kind, identity }) => `${problem} ${kind} ${identity}`);

describe('a comparison', () => {
  it('names what is missing, changed and unexpected', () => {
    expect(
      named({
        expected: [
          recorded('view', 's.a', 'x'),
          recorded('view', 's.b', 'x'),
          recorded('view', 's.c', 'x'),
        ],
        found: [
          listed('view', 's.b', 'y'),
          listed('view', 's.c', 'x'),
          listed('view', 's.d', 'x', { position: 2 }),
        ],
      }),
    ).toEqual(['missing view s.a', 'changed view s.b', 'unexpected view s.d']);
  });

  it('names a table with all that is in it once, missing or unexpected', () => {
    const parts = (table: string) => ({ parents: [`table ${table}`] });
    const grant = { parents: ['table s.t', 'column s.t.a', 'sequence s.q'] };
    expect(
      named({
        expected: [
          recorded('table', 's.t'),
          recorded('column', 's.t.a', 'integer', parts('s.t')),
          recorded('grant', 'sequence s.q TO x', 'USAGE', grant),
        ],
        found: [
          listed('table', 's.u', '', { position: 2 }),
          listed('column', 's.u.a', 'integer', { ...parts('s.u'), position: 2 }),
        ],
      }),
    ).toEqual(['missing table s.t', 'unexpected table s.u']);
  });

  it('names a table once that is there under another name', () => {
    const { differences } = compareObjects({
      expected: [
        recorded('table', 's.t'),
        recorded('column', 's.t.a', '', { parents: ['table s.t'] }),
      ],
      found: [
        listed('table', 's.u', '', { position: 1 }),
        listed('column', 's.u.a', '', { parents: ['table s.u'], position: 1 }),
      ],
      ofOthers: [],
      serverVersionNum: V17,
    });
    expect(differences).toMatchObject([
      { problem: 'changed', identity: 's.t', found: { identity: 's.u' } },
    ]);
  });

  it('names what hangs on a column with the column', () => {
    const onColumn = { parents: ['table s.t', 'column s.t.a'] };
    expect(
      named({
        expected: [
          recorded('table', 's.t'),
          recorded('column', 's.t.a', 'integer', { parents: ['table s.t'] }),
          recorded('constraint', 'c ON s.t', 'CHECK (a > 0)', onColumn),
        ],
        found: [listed('table', 's.t')],
      }),
    ).toEqual(['missing column s.t.a']);
  });

  it('names a table that is a view now once', () => {
    const { differences } = compareObjects({
      expected: [
        recorded('table', 's.t'),
        recorded('column', 's.t.a', 'integer', { parents: ['table s.t'] }),
      ],
      found: [
        listed('view', 's.t', 'SELECT 1'),
        listed('owner', 'view s.t', 'x', { parents: ['view s.t'] }),
      ],
      ofOthers: [],
      serverVersionNum: V17,
    });
    expect(differences).toMatchObject([
      { problem: 'changed', kind: 'table', expected: { kind: 'table' }, found: { kind: 'view' } },
    ]);
  });

  it('takes what another deployment recorded for no difference, but nothing else', () => {
    const compared = {
      expected: [recorded('function', 'public.f()', 'old')],
      ofOthers: [
        recorded('function', 'public.f()', 'new'),
        recorded('grant', 'function public.f() TO b', 'EXECUTE'),
      ],
    };
    const grant = listed('grant', 'function public.f() TO b', 'EXECUTE');
    expect(named({ ...compared, found: [listed('function', 'public.f()', 'new'), grant] })).toEqual(
      [],
    );
    expect(
      named({ ...compared, found: [listed('function', 'public.f()', 'other'), grant] }),
    ).toEqual(['changed function public.f()']);
    expect(named({ ...compared, found: [] })).toEqual(['missing function public.f()']);
  });

  it('compares what another major version printed as far as it is printed alike', () => {
    const expected = [
      recorded('view', 's.same', 'SELECT a', { verbatim: 'a integer', serverVersionNum: V15 }),
      recorded('view', 's.printed', 'SELECT t.a', { verbatim: 'a integer', serverVersionNum: V15 }),
      recorded('view', 's.changed', 'SELECT t.a', { verbatim: 'a integer', serverVersionNum: V15 }),
      recorded('view', 's.same_server', 'SELECT t.a', { verbatim: 'a integer' }),
      recorded('owner', 'view s.same', 'x', { serverVersionNum: V15 }),
    ];
    const comparison = compareObjects({
      expected,
      found: [
        listed('view', 's.same', 'SELECT a', { verbatim: 'a integer' }),
        listed('view', 's.printed', 'SELECT a', { verbatim: 'a integer' }),
        listed('view', 's.changed', 'SELECT a', { verbatim: 'a text' }),
        listed('view', 's.same_server', 'SELECT a', { verbatim: 'a integer' }),
        listed('owner', 'view s.same', 'y'),
      ],
      ofOthers: [],
      serverVersionNum: V17,
    });
    expect(comparison.notCompared.map(({ expected: { identity } }) => identity)).toEqual([
      's.printed',
    ]);
    expect(comparison.differences.map(({ identity }) => identity)).toEqual([
      's.changed',
      's.same_server',
      'view s.same',
    ]);
  });
});
