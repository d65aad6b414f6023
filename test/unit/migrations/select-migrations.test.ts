import { describe, expect, test } from 'vitest';
import {
  MigrationSelectionError,
  selectDown,
  selectUp,
} from '../../../src/migrations/select-migrations.js';

const known = ['0001_a', '0002_b', '0003_c'];

describe('up', () => {
  test('takes all that is not applied', () => {
    expect(selectUp(['0001_a'], known, undefined)).toEqual(['0002_b', '0003_c']);
  });
  test('stops after the named migration', () => {
    expect(selectUp([], known, '0002_b')).toEqual(['0001_a', '0002_b']);
  });
  test('has nothing to do for one that is already applied', () => {
    expect(selectUp(['0001_a', '0002_b'], known, '0001_a')).toEqual([]);
  });
  test('refuses an unknown name and lists the known', () => {
    expect(() => selectUp([], known, '0004_d')).toThrow(MigrationSelectionError);
    expect(() => selectUp([], known, '0004_d')).toThrow(/"0004_d".*0001_a, 0002_b, 0003_c/);
  });
});

describe('down', () => {
  const applied = [
    { name: '0001_a', record: { release: 1 } },
    { name: '0002_b', record: { release: 1 } },
    { name: '0003_c', record: { release: 3 } },
  ];
  test.each([
    ['all', { all: true } as const, ['0003_c', '0002_b', '0001_a']],
    ['a count', { count: 2 }, ['0003_c', '0002_b']],
    ['a count beyond what is applied', { count: 9 }, ['0003_c', '0002_b', '0001_a']],
    ['to the one that remains the last', { to: '0001_a' }, ['0003_c', '0002_b']],
    ['to the last applied', { to: '0003_c' }, []],
    ['to a release', { toRelease: 1 }, ['0003_c']],
    ['to a release that applied nothing here', { toRelease: 2 }, ['0003_c']],
    ['to the last release', { toRelease: 3 }, []],
    ['to before the first release', { toRelease: 0 }, ['0003_c', '0002_b', '0001_a']],
  ])('%s', (_, extent, expected) => {
    expect(selectDown(applied, extent)).toEqual(expected);
  });
  test.each([0, -1, 1.5, Number.NaN])('refuses the count %d', (count) => {
    expect(() => selectDown(applied, { count })).toThrow(MigrationSelectionError);
  });
  test('refuses one that is not applied and lists those that are', () => {
    expect(() => selectDown(applied.slice(0, 1), { to: '0002_b' })).toThrow(
      /"0002_b".*Applied are: 0001_a/,
    );
    expect(() => selectDown([], { to: '0002_b' })).toThrow(/Applied are: none/);
  });
});
