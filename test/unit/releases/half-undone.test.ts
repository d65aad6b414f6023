import { expect, it } from 'vitest';
import { halfUndoneText } from '../../../src/cli/output/half-undone.js';
import { findHalfUndone } from '../../../src/releases/half-undone.js';
import type { Release } from '../../../src/releases/release.js';

function release(number: number, work: string[], more: Partial<Release> = {}): Release {
  return {
    number,
    workMigrations: work,
    cronMigrations: [],
    outcome: 'done',
    undoneAt: undefined,
    ...more,
  } as Release;
}

const context = { invocation: (line: string) => `pcache-migrate ${line}` };

it('names the first release of which something is gone, and the command that undoes the rest', () => {
  const releases = [release(1, ['a']), release(2, ['b', 'c']), release(3, ['d'])];
  const found = findHalfUndone(releases, { work: ['a', 'b'], cron: [] });
  expect(found).toEqual({ release: 2, rolledBack: ['c'], before: 1 });
  expect(halfUndoneText(found, context)).toBe(
    'Release 2 is half undone: c of it is rolled back. Undo the rest with: pcache-migrate down --to 1; or apply it again with: pcache-migrate up',
  );
});

it('goes on to the beginning where no release stands before', () => {
  const releases = [
    release(1, ['a'], { undoneAt: new Date() }),
    release(2, ['b'], { outcome: 'failed' }),
    release(3, ['c'], { cronMigrations: ['x', 'y'] }),
  ];
  const found = findHalfUndone(releases, { work: ['b', 'c'], cron: [] });
  expect(found).toEqual({ release: 3, rolledBack: ['x', 'y'], before: 0 });
  expect(halfUndoneText(found, context)).toContain('pcache-migrate down --all');
});

it('is silent about what was applied again, was undone, or could not be looked at', () => {
  const releases = [
    release(1, ['a', 'b'], { cronMigrations: ['x'] }),
    release(2, ['c'], { undoneAt: new Date() }),
    release(3, ['b']),
  ];
  expect(findHalfUndone(releases, { work: ['a', 'b'], cron: undefined })).toBeUndefined();
  expect(halfUndoneText(undefined, context)).toBe('');
});
