import { expect, test } from 'vitest';
import { isAtLeast } from '../../../src/doctor/compare-versions.js';

test.each([
  ['1.4', '1.4', true],
  ['1.4-1', '1.4', true],
  ['1.3', '1.4', false],
  ['1.10', '1.4', true],
  ['1.6.2', '1.5', true],
  ['2', '1.4', true],
  ['1', '1.4', false],
  ['', '1.4', false],
])('%j is at least %s: %s', (version, wanted, expected) => {
  expect(isAtLeast(version, wanted)).toBe(expected);
});
