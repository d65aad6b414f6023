import { beforeAll, describe, expect, it } from 'vitest';
import type { Fragment } from '../harness/deployment.js';
import { tablesOf } from '../harness/deployment.js';
import { type ManualSite, outcomeOf, processNow, startManualSite } from '../harness/manual-site.js';
import { seededRandom } from '../harness/random.js';
import { randomQuery } from '../harness/random-query.js';
import {
  bitTypes,
  createSamples,
  type SampleType,
  sampleTypes,
} from '../harness/random-samples.js';

// What is cached is compared with the direct query as a client would use it: key = ANY (partition_keys).

const random = seededRandom();
const repeat = `repeat with PCACHE_TEST_SEED=${random.seed}`;

interface RandomFragment extends Fragment {
  /** The query without what a client may leave at its end. */
  direct: string;
}

function randomFragments(types: readonly SampleType[], count: number): RandomFragment[] {
  return types.flatMap((type) =>
    Array.from({ length: count }, (_, i) => {
      const direct = randomQuery(type.column, random);
      const ending = random.pick(['', '', ';', ' -- done', ' /* done */', '\n;\n ']);
      return {
        hash: `${type.column} ${i}`,
        key: type.column,
        datatype: random.chance(0.3) ? null : type.datatype,
        query: direct + ending,
        direct,
      };
    }),
  );
}

interface Comparison {
  query: string;
  status: string | null;
  error?: string | null;
  difference?: unknown;
}

/** undefined when the cache holds what the direct query returns. */
async function differenceFrom(
  it_: ManualSite,
  fragment: RandomFragment,
): Promise<Comparison | undefined> {
  const { status, error } = await outcomeOf(it_, fragment);
  if (status !== 'ok') return { query: fragment.query, status, error };
  const difference = await (it_.settings.cacheBackend === 'bit' ? differingBits : differingArray)(
    it_,
    fragment,
  );
  return difference && { query: fragment.query, status, difference };
}

async function differingArray(
  { app, settings }: ManualSite,
  { hash, key, direct }: RandomFragment,
) {
  // PostgreSQL cannot compare a uuid with a text.
  const comparable = key === 'k_uuid' ? 'key::text' : 'key';
  const { rows } = await app.query(
    `WITH direct (key) AS MATERIALIZED (${direct}),
          wanted AS (SELECT DISTINCT ${comparable} AS key FROM direct WHERE key IS NOT NULL),
          cached AS (SELECT * FROM ${settings.tablePrefix}_cache_${key} WHERE query_hash = $1),
          stored AS (SELECT stored.key FROM cached, unnest(partition_keys) AS stored (key)),
          found AS (
            SELECT ARRAY(SELECT key::text FROM wanted WHERE NOT EXISTS (SELECT FROM stored WHERE stored.key = wanted.key)) AS missing,
                   ARRAY(SELECT key::text FROM stored WHERE NOT EXISTS (SELECT FROM wanted WHERE stored.key = wanted.key)) AS surplus,
                   (SELECT count(*)::int FROM wanted) AS wanted,
                   (SELECT cardinality(partition_keys) FROM cached) AS stored,
                   (SELECT partition_keys_count FROM cached) AS counted)
     SELECT * FROM found
      WHERE (cardinality(missing), cardinality(surplus), wanted, wanted) IS DISTINCT FROM (0, 0, stored, counted)`,
    [hash],
  );
  return rows[0];
}

async function differingBits({ app, settings }: ManualSite, { hash, key, direct }: RandomFragment) {
  const { rows } = await app.query(
    `WITH direct (key) AS MATERIALIZED (${direct}),
          wanted AS (SELECT DISTINCT key::integer FROM direct WHERE key IS NOT NULL),
          cached AS (SELECT * FROM ${settings.tablePrefix}_cache_${key} WHERE query_hash = $1),
          found AS (
            SELECT ARRAY(SELECT key FROM cached, wanted
                          WHERE CASE WHEN key < length(partition_keys) THEN get_bit(partition_keys, key) = 0 ELSE true END) AS missing,
                   (SELECT count(*)::int FROM wanted) AS wanted,
                   (SELECT length(replace(partition_keys::text, '0', '')) FROM cached) AS stored,
                   (SELECT partition_keys_count FROM cached) AS counted)
     SELECT * FROM found WHERE (cardinality(missing), wanted, wanted) IS DISTINCT FROM (0, stored, counted)`,
    [hash],
  );
  return rows[0];
}

async function differences(it_: ManualSite, fragments: readonly RandomFragment[]) {
  const found = [];
  for (const fragment of fragments) found.push(await differenceFrom(it_, fragment));
  return found.filter((difference) => difference !== undefined);
}

/** The fragment's set is that of the direct query, or it failed with an SQLSTATE and nothing is cached. */
async function isRightOrAbsent(it_: ManualSite, fragment: RandomFragment): Promise<void> {
  await processNow(it_, [fragment]);
  const { status, logged, error } = await outcomeOf(it_, fragment);
  if (status === 'failed') {
    expect(logged).toBe('failed');
    expect(error).toMatch(/^[0-9A-Z]{5}: ./);
    expect(await isCached(it_, fragment)).toBe(false);
  } else {
    expect(await differences(it_, [fragment])).toEqual([]);
  }
}

async function isCached({ app, settings }: ManualSite, { hash, key }: Fragment): Promise<boolean> {
  const table = `${settings.tablePrefix}_cache_${key}`;
  const { rows } = await app.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  if (!rows[0].there) return false;
  const { rowCount } = await app.query(`SELECT FROM ${table} WHERE query_hash = $1`, [hash]);
  return rowCount !== 0;
}

function fragment(
  hash: string,
  key: string,
  datatype: string | null,
  query: string,
): RandomFragment {
  return { hash, key, datatype, query, direct: query };
}

async function datatypeOf({ app, settings }: ManualSite, key: string) {
  const { rows } = await app.query(
    `SELECT datatype FROM ${tablesOf(settings).partitionMetadata} WHERE partition_key = $1`,
    [key],
  );
  return rows[0]?.datatype;
}

async function setResultLimit({ work, settings }: ManualSite, limit: number | null) {
  await work.query(`UPDATE ${tablesOf(settings).processorConfig} SET result_limit = $1`, [limit]);
}

describe('an array cache', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startManualSite();
    await createSamples(it_.work, sampleTypes, random);
  });

  it.each(sampleTypes.map((type) => [type.type, type] as const))(
    'holds what 25 random queries of %s keys return',
    async (_, type) => {
      const fragments = randomFragments([type], 25);
      await processNow(it_, fragments);
      expect(await differences(it_, fragments), repeat).toEqual([]);
    },
  );

  it.each([
    [
      'float8 that differ in the 17th digit',
      'double precision',
      "SELECT unnest('{0.1,0.10000000000000002}'::float8[])",
    ],
    ['real that differ in the 8th digit', 'real', "SELECT unnest('{16777216,16777218}'::real[])"],
    ['a real that decimal digits only come near to', 'real', 'SELECT 0.1::real'],
  ])('keeps %s apart', async (what, type, query) => {
    const exact = fragment(what, `exact_${type.replace(/\W/g, '')}`, 'float', query);
    await processNow(it_, [exact]);
    expect(await differences(it_, [exact])).toEqual([]);
  });

  it('takes the datatype from the result, not from some table that has a column of that name', async () => {
    await it_.work.query(`
      CREATE TABLE a_decoy (ward text);
      CREATE TABLE z_decoy (ward timestamp);
      GRANT SELECT ON a_decoy, z_decoy TO PUBLIC`);
    const ward = fragment('ward', 'ward', null, 'SELECT id AS ward FROM samples WHERE id < 9');
    await processNow(it_, [ward]);
    expect(await differences(it_, [ward])).toEqual([]);
    expect(await datatypeOf(it_, 'ward')).toBe('integer');
  });

  it.each(['text', 'timestamp', 'float', 'varchar', 'no such type'])(
    'is right or absent when the queue says %s for whole numbers, and does not spoil the key',
    async (datatype) => {
      const key = `said_${datatype.replaceAll(' ', '_')}`;
      await isRightOrAbsent(it_, fragment(`${key} wrong`, key, datatype, 'SELECT id FROM samples'));
      const next = fragment(`${key} next`, key, 'integer', 'SELECT id + 1 FROM samples');
      if (datatype !== 'float') {
        await processNow(it_, [next]);
        expect(await differences(it_, [next])).toEqual([]);
        expect(await datatypeOf(it_, key)).toBe('integer');
      }
    },
  );

  it('treats a domain as its base type', async () => {
    await it_.work.query('CREATE DOMAIN zip AS integer CHECK (VALUE >= 0)');
    const domain = fragment('domain', 'domain', 'integer', 'SELECT id::zip FROM samples');
    await processNow(it_, [domain]);
    expect(await differences(it_, [domain])).toEqual([]);
  });

  it('is right or absent for a bigint beyond integer where integers came first', async () => {
    const first = fragment('first', 'grown', 'integer', 'SELECT id FROM samples');
    await processNow(it_, [first]);
    await isRightOrAbsent(
      it_,
      fragment('fits', 'grown', 'integer', 'SELECT id::bigint FROM samples'),
    );
    await isRightOrAbsent(
      it_,
      fragment('beyond', 'grown', 'integer', 'SELECT id + 5000000000 FROM samples'),
    );
    expect(await differences(it_, [first])).toEqual([]);
  });

  it.each([
    ['a date that no timestamp reaches', 'timestamp', "SELECT '5874897-12-31'::date"],
    [
      'two instants with one local time',
      'timestamp',
      "SELECT unnest('{2026-10-25 00:30+00,2026-10-25 01:30+00}'::timestamptz[])",
    ],
    ['a time of day', 'timestamp', "SELECT '12:00'::time"],
    ['a truth value', 'integer', 'SELECT true'],
    ['bytes', 'text', "SELECT '\\x00'::bytea"],
    ['a row', 'text', 'SELECT ROW(1, 2)'],
    ['an array', 'text', 'SELECT ARRAY[1, 2]'],
    ['a literal of unknown type', 'text', "SELECT 'a'"],
    ['nothing but null', 'text', 'SELECT NULL'],
  ])('is right or absent for %s', async (what, datatype, query) => {
    for (const client of [it_.app, it_.cronRole]) {
      await client.query("SET TimeZone = 'Europe/Berlin'");
    }
    try {
      const key = `odd_${what.replaceAll(' ', '_')}`;
      await isRightOrAbsent(it_, fragment(what, key, datatype, query));
    } finally {
      for (const client of [it_.app, it_.cronRole]) await client.query('RESET TimeZone');
    }
  });
});

describe('a bit cache', () => {
  let it_: ManualSite;

  beforeAll(async () => {
    it_ = await startManualSite({
      CACHE_BACKEND: 'postgresql_bit',
      PG_BIT_CACHE_TABLE_PREFIX: 'my_bits',
    });
    await createSamples(it_.work, bitTypes, random);
  });

  it('holds what 330 random queries return, and grows without losing one', async () => {
    const fragments = randomFragments(bitTypes, 110);
    await processNow(it_, fragments);
    expect(await differences(it_, fragments), repeat).toEqual([]);
    const { rows } = await it_.app.query('SELECT bitsize FROM my_bits_partition_metadata');
    expect(rows).toHaveLength(3);
    for (const { bitsize } of rows) expect(bitsize).toBeGreaterThan(1000);
  });

  it('refuses sets with a key that it cannot hold, saying which, and keeps the others', async () => {
    const right = randomFragments(bitTypes, 10).map((one) => ({
      ...one,
      hash: `kept ${one.hash}`,
    }));
    const wrong = randomFragments(bitTypes, 10).map((one) => {
      const key = random.pick([
        -random.integer(1, 30_000),
        83_886_080 + random.integer(0, 2 ** 40),
      ]);
      const query = `SELECT * FROM (${one.direct}) AS fitting UNION ALL SELECT ${key}`;
      return { ...one, hash: `refused ${one.hash}`, query, culprit: key };
    });
    const mixed = right.flatMap((one, i) => [one, ...wrong.slice(i, i + 1)]);
    await processNow(it_, mixed);
    for (const one of wrong) {
      const { status, error } = await outcomeOf(it_, one);
      expect({ status, error }, `${one.query}; ${repeat}`).toEqual({
        status: 'failed',
        error: expect.stringMatching(
          new RegExp(`^22003: .*(?<![\\d-])${one.culprit}(?!\\d).* bit cache`),
        ),
      });
      expect(await isCached(it_, one)).toBe(false);
    }
    expect(await differences(it_, right), repeat).toEqual([]);
  });

  it('holds the last key that PostgreSQL has a bit for', async () => {
    const last = fragment('last', 'last', 'integer', 'SELECT 83886079 UNION SELECT 0');
    await processNow(it_, [last]);
    expect(await differences(it_, [last])).toEqual([]);
  });

  it.each([
    ['numeric', 'SELECT 1.5'],
    ['text', "SELECT '1'::text"],
    ['whole numbers, called text by the queue', 'SELECT id FROM samples'],
  ])('is right or absent for %s', async (what, query) => {
    const key = `bits_${what.replace(/\W/g, '_')}`;
    await isRightOrAbsent(it_, fragment(what, key, 'text', query));
  });
});

describe.each([
  ['array', {}],
  ['bit', { CACHE_BACKEND: 'postgresql_bit', PG_BIT_CACHE_TABLE_PREFIX: 'my_bits' }],
])('a result_limit of an %s cache', (_, environment) => {
  it('is exact to the key: NULL and duplicates do not count', async () => {
    const it_ = await startManualSite(environment);
    const limit = random.integer(1, 30);
    const fragments = Array.from({ length: 40 }, (_, i) => {
      const keys = Math.max(0, limit + random.integer(-2, 2));
      const direct = `SELECT nullif(i % ${keys + 1}, ${keys}) FROM generate_series(0, ${3 * (keys + 1) - 1}) AS i`;
      return { ...fragment(`limit ${i}`, 'zipcode', 'integer', direct), keys };
    });
    await setResultLimit(it_, limit);
    await processNow(it_, fragments);
    const within = fragments.filter(({ keys }) => keys <= limit);
    expect(await differences(it_, within), `limit ${limit}; ${repeat}`).toEqual([]);
    const { rows } = await it_.app.query(
      `SELECT query_hash AS hash FROM ${tablesOf(it_.settings).queries}
         JOIN ${it_.settings.tablePrefix}_cache_zipcode USING (query_hash)
        WHERE status = 'limit' AND partition_keys IS NULL`,
    );
    const beyond = fragments.filter(({ keys }) => keys > limit);
    expect(rows.map(({ hash }) => hash).sort(), `limit ${limit}; ${repeat}`).toEqual(
      beyond.map(({ hash }) => hash).sort(),
    );
  });
});
