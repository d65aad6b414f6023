import { describe, expect, it } from 'vitest';
import { changesInMeaning, jobsOf, secondsOf } from '../../../src/adoption/foreign-processors.js';
import type { ConfigRow, ForeignJob } from '../../../src/adoption/foreign-setup.js';
import { datatypeOf } from '../../../src/adoption/read-caches.js';

describe('the interval that a schedule of pg_cron means', () => {
  it.each([
    ['1 second', 1],
    ['59 seconds', 59],
    ['* * * * *', 60],
    ['*/5 * * * *', 300],
    // Once an hour, whatever it looks like.
    ['*/70 * * * *', undefined],
    ['*/7 * * * *', undefined],
    ['5 minutes', undefined],
    ['0 3 * * *', undefined],
  ])('%s', (schedule, seconds) => {
    expect(secondsOf(schedule)).toBe(seconds);
  });
});

const row = (changes: Partial<ConfigRow> = {}): ConfigRow => ({
  job_name: 'p',
  enabled: true,
  max_parallel_jobs: 2,
  frequency_seconds: 300,
  table_prefix: 't',
  queue_prefix: 'q',
  cache_backend: 'array',
  ...changes,
});

const job = (name: string, schedule: string): ForeignJob => ({
  jobId: '1',
  name,
  role: 'r',
  schedule,
  command: '',
  active: true,
});

it('knows the jobs of a processor by their number', () => {
  const jobs = ['p_1', 'p_12', 'p_x_1', 'p_', 'q_1'].map((name) => job(name, '* * * * *'));
  expect(jobsOf(row(), jobs).map(({ name }) => name)).toEqual(['p_1', 'p_12']);
});

describe('what changes in meaning', () => {
  const changes = (config: ConfigRow, jobs: ForeignJob[], seesAllJobs = true) =>
    changesInMeaning(
      { taken: [config], left: [], disagreements: [] },
      {
        jobs,
        seesAllJobs,
        jobsUnknown: undefined,
        copy: undefined,
        copyIgnored: undefined,
        copyUnread: undefined,
      },
      20,
    ).join('\n');

  it('is a frequency that pg_cron never ran', () => {
    expect(changes(row(), [])).toContain('pg_cron has no job of it, so it has not run');
    expect(changes(row(), [], false)).toContain('this role sees no job of it');
  });

  it('is a schedule that means something else', () => {
    expect(changes(row(), [job('p_1', '*/70 * * * *')])).toContain('"*/70 * * * *"');
    expect(changes(row(), [job('p_1', '*/5 * * * *')])).not.toContain('schedule');
  });

  it('is a limit that was never applied, and one on the slots', () => {
    expect(changes(row({ result_limit: 10 }), [])).toContain('never applied');
    expect(changes(row({ max_parallel_jobs: 21 }), [])).toContain('becomes 21');
  });

  it('is nothing for a processor that is disabled', () => {
    expect(changes(row({ enabled: false }), [])).toBe('');
  });
});

it.each([
  ['array', 'integer[]', 'integer', 'integer'],
  ['array', 'bigint[]', undefined, 'integer'],
  ['array', 'timestamp without time zone[]', 'timestamp', 'timestamp'],
  ['array', 'text[]', 'integer', undefined],
  ['array', 'bit', 'integer', undefined],
  ['bit', 'bit', 'integer', 'integer'],
  ['roaringbit', 'public.roaringbitmap', undefined, 'integer'],
  ['roaringbit', 'integer[]', 'integer', undefined],
] as const)('a %s cache of type %s and datatype %s holds %s', (backend, type, known, held) => {
  expect(datatypeOf(backend, type, known)).toBe(held);
});
