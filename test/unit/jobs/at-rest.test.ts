import { describe, expect, it } from 'vitest';
import { isAtRest } from '../../../src/jobs/at-rest.js';

describe('a job that is at rest', () => {
  const never = '0 0 30 2 *';

  it.each([
    ["CALL partitioncache.run_processor('shop', 2)", never],
    ["CALL \"pc a\".run_processor(E'it''s\\\\', 11)", never],
    ["CALL partitioncache.run_processor('two\nlines', 5)", never],
    ['CALL partitioncache.run_maintenance()', '17 * * * *'],
    ['CALL "pc a".run_maintenance()', '17 * * * *'],
  ])('is %s with %s', (command, schedule) => {
    expect(isAtRest({ command, schedule })).toBe(true);
  });

  it.each([
    ["CALL partitioncache.run_processor('shop', 1)", never],
    ["CALL partitioncache.run_processor('shop', 2)", '1 seconds'],
    ["CALL partitioncache.run_processor('shop', 2)", '17 * * * *'],
    ['CALL partitioncache.run_maintenance()', '* * * * *'],
    ['CALL partitioncache.run_maintenance()', never],
    ['SELECT app.yearly()', never],
    ['SELECT app.hourly()', '17 * * * *'],
  ])('is not %s with %s', (command, schedule) => {
    expect(isAtRest({ command, schedule })).toBe(false);
  });
});
