import type pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectAs, createSite, deploy } from '../harness/deployment.js';

// How key_bits() works depends on how dense a set is; every way must give the same as the naive one.
describe('the bit string of a set of keys', () => {
  let work: pg.Client;

  beforeAll(async () => {
    const site = await createSite();
    const settings = site.settings();
    await deploy(settings);
    work = await connectAs(settings.work);
    await work.query(`
      CREATE FUNCTION pg_temp.naive(p_keys bigint[], p_bitsize integer) RETURNS bit varying LANGUAGE plpgsql AS $$
      DECLARE
        v_bits bit varying := repeat('0', p_bitsize)::bit varying;
        v_key bigint;
      BEGIN
        FOREACH v_key IN ARRAY p_keys LOOP
          v_bits := set_bit(v_bits, v_key::integer, 1);
        END LOOP;
        RETURN v_bits;
      END $$`);
  });

  async function differing(sets: string): Promise<unknown[]> {
    const { rows } = await work.query(
      `SELECT bitsize, keys FROM (${sets}) AS sets
        WHERE partitioncache.key_bits(keys, bitsize) IS DISTINCT FROM pg_temp.naive(keys, bitsize)`,
    );
    return rows;
  }

  it.each([
    ['none', 'ARRAY[]::bigint[]'],
    ['the first', 'ARRAY[0::bigint]'],
    ['the last', 'ARRAY[bitsize - 1]::bigint[]'],
    ['all', 'ARRAY(SELECT generate_series(0, bitsize - 1))::bigint[]'],
    ['all but the first', 'ARRAY(SELECT generate_series(1, bitsize - 1))::bigint[]'],
    ['every second', 'ARRAY(SELECT generate_series(0, bitsize - 1, 2))::bigint[]'],
  ])('is right for %s of 1 to 300 bits', async (_, keys) => {
    expect(
      await differing(`SELECT bitsize, ${keys} AS keys FROM generate_series(1, 300) AS bitsize`),
    ).toEqual([]);
  });

  it.each([0.001, 0.01, 0.1, 0.5, 0.99])(
    'is right for random sets in which %f of the bits are set',
    async (share) => {
      await work.query('SELECT setseed(0.3)');
      expect(
        await differing(
          `SELECT bitsize, ARRAY(SELECT key::bigint FROM generate_series(0, bitsize - 1) AS key WHERE random() < ${share} ORDER BY key) AS keys
           FROM generate_series(1, 20000, 97) AS bitsize`,
        ),
      ).toEqual([]);
    },
  );

  it.each([
    [1, 300],
    [50, 70],
    [60, 140],
  ])('is right for keys %i to %i bits apart', async (least, most) => {
    await work.query('SELECT setseed(0.7)');
    expect(
      await differing(
        `SELECT (last + extra)::integer AS bitsize, keys
           FROM generate_series(1, 200) AS n,
                LATERAL (SELECT array_agg(key ORDER BY key) AS keys, max(key) AS last
                           FROM (SELECT sum(${least} + floor(random() * ${most - least + 1})) OVER (ORDER BY i)::bigint AS key
                                   FROM generate_series(1, 40 + n % 9) AS i) AS steps) AS sets,
                LATERAL (SELECT 1 + n % 130 AS extra) AS extras`,
      ),
    ).toEqual([]);
  });
});
