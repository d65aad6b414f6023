import { beforeAll, describe, expect, it } from 'vitest';
import {
  type Bench,
  canary,
  enqueueInOrder,
  keysOf,
  LAYOUTS,
  openBench,
  outcomeOf,
  queueOf,
  runQueued,
  worldOf,
} from './untrusted/bench.js';

// Partition keys, hashes and datatypes are text from the client, too. A partition key is an identifier, whatever it
// contains; the others are values.

describe.each(LAYOUTS)('%s', (layout) => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench(layout);
    return () => bench.admin.end();
  });

  const strike = 'DROP TABLE attack.witness';
  // The name of the cache table has 63 bytes, of which my_cache_cache_ takes 15.
  const longest = 'k'.repeat(48);

  describe.each([
    ['a run of a slot', 'slot'],
    ['processing by hand in one transaction', 'manual'],
  ] as const)('in %s a partition key', (_, way) => {
    it.each([
      ['a quote and a statement', `a"; ${strike}; --`],
      ['an apostrophe and a statement', `a'; ${strike}; --`],
      ['a parenthesis and a statement', `a (id int); ${strike}; --`],
      ['a dollar quote', 'a$$; $a$; SELECT 1'],
      ['a backslash', 'a\\"\\'],
      ['placeholders of format', '%I %s %L %1$s %'],
      ['a schema', 'pg_catalog.pg_class'],
      ['a quoted schema', '"public"."pois"'],
      ['blanks and line breaks', ' a \n\t b '],
      ['capitals', 'Zipcode'],
      ['a reserved word', 'select'],
      ['other scripts', 'Straße 郵便番号 \u202E'],
      ['48 bytes, the most there is room for', longest],
    ])('is harmless: with %s it names a cache table to the letter', async (_, name) => {
      const key = `${name}${way === 'slot' || name === longest ? '' : '2'}`;
      const hash = `key ${key} ${way}`;
      await processBeforeCanary(way, { hash, key });
      expect(await outcomeOf(bench, hash)).toBe('ok');
      expect(await keysOf(bench, key, hash)).toEqual([1, 2]);
      const { rows } = await bench.admin.query(
        `SELECT datatype, to_regclass(format('public.%I', 'my_cache_cache_' || partition_key)) IS NOT NULL AS has_table
         FROM my_cache_partition_metadata WHERE partition_key = $1`,
        [key],
      );
      expect(rows).toEqual([{ datatype: 'integer', has_table: true }]);
    });

    it.each([
      ['of no character', '', /^failed: 42622: partition key "" cannot name a cache table/],
      [
        'of one byte too many',
        `${longest}k`,
        /^failed: 42622: partition key "k+" cannot name a cache table: "my_cache_cache_k+" has 64 bytes, PostgreSQL allows 63$/,
      ],
      [
        'of one byte too many, though not of one character',
        'ü'.repeat(25),
        /^failed: 42622: .* has 65 bytes, PostgreSQL allows 63$/,
      ],
      ['of a thousand quotes', '"'.repeat(1000), /^failed: 42622: /],
    ])('is refused: %s', async (_, key, error) => {
      const hash = `refused key ${key.slice(0, 30)} ${key.length} ${way}`;
      const before = await relations();
      await processBeforeCanary(way, { hash, key });
      expect(await outcomeOf(bench, hash)).toMatch(error);
      expect(await relations()).toEqual(before);
    });
  });

  describe('in a run of a slot', () => {
    it.each([
      ['a statement', `'); ${strike}; --`],
      ['quotes', '"\'`$$'],
      ['placeholders', '%I %s $1 {0} \\1'],
      ['no character', ''],
      ['ten thousand characters', 'h'.repeat(10_000)],
      ['line breaks', 'a\nb\r\n'],
    ])('a hash is harmless: with %s it is kept to the letter', async (_, hash) => {
      await processBeforeCanary('slot', { hash, key: 'zipcode' });
      expect(await outcomeOf(bench, hash)).toBe('ok');
      expect(await keysOf(bench, 'zipcode', hash)).toEqual([1, 2]);
    });

    it.each([
      ['a statement', `integer[]); ${strike}; --`],
      ['a quote', 'integer"'],
      ['no character', ''],
      ['a type there is', 'jsonb'],
    ])('the datatype of a new partition is refused: %s', async (_, datatype) => {
      const hash = `datatype ${datatype}`;
      const before = await relations();
      await processBeforeCanary('slot', { hash, key: 'typed', datatype });
      expect(await outcomeOf(bench, hash)).toMatch(/^failed: \w{5}: /);
      expect(await relations()).toEqual(before);
    });
  });

  async function processBeforeCanary(
    way: 'slot' | 'manual',
    { hash, key, datatype = 'integer' }: { hash: string; key: string; datatype?: string },
  ): Promise<void> {
    const next = `next after ${hash.slice(0, 100)} (${way}), at last`;
    const untouched = await lasting(hash, next);
    await enqueueInOrder(bench, [
      { hash, key, datatype, query: 'VALUES (1), (2), (1)' },
      canary(next),
    ]);
    const run = await runQueued(bench, way);
    expect(run.error).toBe(undefined);
    expect(run.notices).toEqual([]);
    expect(await outcomeOf(bench, next)).toBe('ok');
    expect((await keysOf(bench, 'zipcode', next)).length).toBeGreaterThan(10);
    expect(await queueOf(bench)).toEqual([]);
    expect(await lasting(hash, next)).toEqual(untouched);
  }

  // The tables that were there before, without what a new partition rightly adds.
  async function lasting(...hashes: string[]): Promise<string[]> {
    const world = await worldOf(bench, hashes);
    return world.filter((line) => /^rows of (attack\.|pois)/.test(line));
  }

  async function relations(): Promise<string[]> {
    const { rows } = await bench.admin.query(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    );
    return rows.map(({ relname }) => relname);
  }
});
