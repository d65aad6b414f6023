import { expect, test } from 'vitest';
import { unifiedDiff } from '../../../src/text/unified-diff.js';

const lines = (...changed: string[]) => `a\nb\nc\nd\n${changed.join('\n')}\ne\nf\ng\nh\n`;

test('shows what differs, with three lines around it', () => {
  expect(
    unifiedDiff(
      { name: 'recorded', text: lines('old') },
      { name: 'found', text: lines('new', 'and more') },
    ).split('\n'),
  ).toEqual([
    '--- recorded',
    '+++ found',
    '@@ -2,7 +2,8 @@',
    ' b',
    ' c',
    ' d',
    '-old',
    '+new',
    '+and more',
    ' e',
    ' f',
    ' g',
  ]);
});

test('is empty for equal texts', () => {
  expect(unifiedDiff({ name: 'a', text: 'same' }, { name: 'b', text: 'same' })).toBe('');
});

test('says where the last line has no end', () => {
  const diff = unifiedDiff({ name: 'a', text: 'x\n' }, { name: 'b', text: 'x' });
  expect(diff).toContain('\\ No newline at end of file');
});
