import { describe, expect, it } from 'vitest';
import { nextRecord, type Release } from '../../../src/objects/next-record.js';
import { listed, recorded, V15, V17 } from './objects.js';

const recordAfter = (release: Partial<Release>) =>
  nextRecord({
    recorded: [recorded('view', 's.old', 'x')],
    before: [listed('view', 's.old', 'x')],
    after: [listed('view', 's.old', 'x')],
    inOneTransaction: true,
    isOtherFormat: false,
    serverVersionNum: V17,
    dropped: [],
    runnerTable: 's.migrations',
    ...release,
  }).map(({ kind, identity, definition }) => `${kind} ${identity}: ${definition}`);

const OLD = 'view s.old: x';

describe('the record after a release', () => {
  it('has what the release made, and not what others made', () => {
    const made = listed('view', 's.new', 'y', { written: true });
    const others = listed('view', 's.other', 'y');
    expect(recordAfter({ after: [listed('view', 's.old', 'x'), made, others] })).toEqual([
      OLD,
      'view s.new: y',
    ]);
  });

  it('has what the release changed, and not what differed before', () => {
    const by = (definition: string, written: boolean) =>
      listed('view', 's.old', definition, { written });
    expect(recordAfter({ after: [by('y', true)] })).toEqual(['view s.old: y']);
    expect(recordAfter({ before: [by('hotfix', false)], after: [by('hotfix', false)] })).toEqual([
      OLD,
    ]);
    // Written, for a grant on it perhaps, but as it was.
    expect(recordAfter({ before: [by('hotfix', false)], after: [by('hotfix', true)] })).toEqual([
      OLD,
    ]);
    // Changed by somebody else while the release ran.
    expect(recordAfter({ after: [by('y', false)] })).toEqual([OLD]);
  });

  it('has what the release wrote the same as it was found', () => {
    const found = listed('view', 's.old', 'hotfix');
    expect(
      recordAfter({ before: [found], after: [{ ...found, written: true, rewritten: true }] }),
    ).toEqual(['view s.old: hotfix']);
    expect(
      recordAfter({ before: [found], after: [{ ...found, written: true, position: 2 }] }),
    ).toEqual(['view s.old: hotfix']);
  });

  it('has not what the release dropped, and still what was dropped before', () => {
    expect(recordAfter({ after: [] })).toEqual([]);
    expect(recordAfter({ before: [], after: [] })).toEqual([OLD]);
  });

  it('has the table of the runner that a rollback cut off left behind, in the first release alone', () => {
    const left = [
      listed('table', 's.migrations', 'permanent'),
      listed('column', 's.migrations.id', 'integer', { parents: ['table s.migrations'] }),
    ];
    const others = listed('table', 's.theirs', 'permanent');
    const found = [...left, others];
    expect(recordAfter({ recorded: [], before: found, after: found })).toEqual([
      'table s.migrations: permanent',
      'column s.migrations.id: integer',
    ]);
    expect(recordAfter({ before: found, after: found })).not.toContain(
      'table s.migrations: permanent',
    );
  });

  it('has not the tables of a rollback that a client had dropped before, nor what was in them', () => {
    const rolledBack = {
      recorded: [
        recorded('table', 'public.t'),
        recorded('column', 'public.t.a', 'text', { parents: ['table public.t'] }),
      ],
      before: [],
      after: [],
    };
    expect(recordAfter({ ...rolledBack, dropped: ['public.t'] })).toEqual([]);
    expect(recordAfter(rolledBack)).toHaveLength(2);
  });

  it('has of a first release also the place that it was deployed into', () => {
    const place = [
      listed('schema', 's', 'CREATE SCHEMA s'),
      listed('grant', 'schema s TO x', 'USAGE', { parents: ['schema s'] }),
      listed('default privileges', 'FOR ROLE m ON TABLES', 'SELECT TO x'),
      listed('table', 's.others', 'permanent'),
    ];
    expect(recordAfter({ recorded: [], before: place, after: place })).toHaveLength(3);
    expect(recordAfter({ before: place, after: place })).toEqual([OLD]);
  });

  it('is not made of a listing that has two objects with one key', () => {
    const one = listed('grant', 'sequence s.q TO x', 'USAGE');
    expect(() => recordAfter({ after: [one, { ...one, definition: 'SELECT' }] })).toThrow(
      'Listed twice among the objects: grant sequence s.q TO x',
    );
  });

  it('takes what changed meanwhile for its own where it cannot run in one transaction', () => {
    const release = { inOneTransaction: false, after: [listed('view', 's.old', 'y')] };
    expect(recordAfter(release)).toEqual(['view s.old: y']);
  });

  it('is read anew where it was read in another way', () => {
    const found = [listed('view', 's.old', 'in other words'), listed('view', 's.other', 'x')];
    expect(recordAfter({ isOtherFormat: true, before: found, after: found })).toEqual([
      'view s.old: in other words',
    ]);
  });

  it('names the server that printed each definition', () => {
    const versions = nextRecord({
      recorded: [recorded('view', 's.old', 'x', { serverVersionNum: V15 })],
      before: [listed('view', 's.old', 'x')],
      after: [listed('view', 's.old', 'x'), listed('view', 's.new', 'y', { written: true })],
      inOneTransaction: true,
      isOtherFormat: false,
      serverVersionNum: V17,
      dropped: [],
      runnerTable: 's.migrations',
    }).map(({ serverVersionNum }) => serverVersionNum);
    expect(versions).toEqual([V15, V17]);
  });
});
