import { expect, test } from 'vitest';
import { sameSet } from '../../../tools/quickstart/same-set.js';

test('order does not matter; a missing, foreign or duplicate element does', () => {
  expect(sameSet(['a', 'b'], ['b', 'a'])).toBe(true);
  expect(sameSet([], [])).toBe(true);
  expect(sameSet(['a'], ['a', 'b'])).toBe(false);
  expect(sameSet(['a', 'b'], ['a'])).toBe(false);
  expect(sameSet(['a', 'a'], ['a', 'b'])).toBe(false);
  expect(sameSet(['a', 'b'], ['a', 'a'])).toBe(false);
});
