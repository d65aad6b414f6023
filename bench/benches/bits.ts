import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { ownName } from '../../src/deployment/own-names.js';
import type { Bench, BenchContext } from '../bench.js';
import { assertOutcomes, createSlotRunner, hasLeft, isEmpty, lastQueueId } from '../processor.js';
import { createSampleTable, enqueue, type Fragment } from '../sample-data.js';
import { runSqlFiles, type Site } from '../site.js';
import { number, shown, spreadOf } from '../stats.js';

const sizes = [10_000, 1_000_000, 10_000_000];
const densities = [0.02, 0.5];
// More rounds for small ones, which vary more.
const roundsFor = (size: number) => (size > 1_000_000 ? 3 : 7);

// set_bit() copies the whole string for each key: beyond this it takes minutes.
const bytesCopiedAtMost = 5e9;

export const bits: Bench = {
  name: 'bits',
  async run(context) {
    return [await building(context), await growing(context)];
  },
};

async function building(context: BenchContext) {
  const site = await context.site({ name: 'bits', backend: 'bit' });
  await site.admin.query('CREATE SCHEMA bits');
  const others = await runSqlFiles(site.admin, 'bits');
  await site.admin.query(buildFunction);
  const ways = ['ours', ...others];
  const functionOf = (way: string) =>
    way === 'ours' ? ownName(site.settings, 'key_bits') : `bits.${way}`;
  const rows: string[][] = [];
  for (const size of sizes) {
    for (const density of densities) {
      context.say(`  ${number(size)} bits, ${density * 100} % set`);
      await site.admin.query(
        'DROP TABLE IF EXISTS bits.keys; CREATE TABLE bits.keys (keys bigint[]); SELECT setseed(0.5)',
      );
      await site.admin.query(
        `INSERT INTO bits.keys SELECT array_agg(key ORDER BY key)
           FROM generate_series(0, $1::bigint - 1) AS key WHERE random() < $2`,
        [size, density],
      );
      const times = ways.map(() => [] as number[]);
      // The first round warms up.
      for (let round = 0; round <= roundsFor(size); round += 1) {
        const built = new Set<string>();
        for (const [index, way] of ways.entries()) {
          if (way === 'set_bit' && (size * density * size) / 8 > bytesCopiedAtMost) continue;
          const { ms, digest } = await build(site.admin, functionOf(way), size);
          built.add(digest);
          if (round > 0) times[index]?.push(ms);
        }
        if (built.size !== 1) throw new Error(`not all ways build the same ${size} bits`);
      }
      const medians = times.map((values) => spreadOf(values).median);
      const fastest = Math.min(...medians.slice(1).filter(Number.isFinite));
      rows.push([
        number(size),
        `${density * 100} %`,
        ...times.map((values) => shown(spreadOf(values))),
        number((medians[0] ?? Number.NaN) / fastest),
        others[medians.slice(1).indexOf(fastest)] ?? '',
      ]);
    }
  }
  return {
    title:
      'Milliseconds to build one set from its sorted keys; × is ours over the fastest other way (goal ≤ 1.5)',
    headings: [
      'bits',
      'set',
      ...ways.map((way) => (way === 'set_bit' ? 'set_bit (alternative)' : way)),
      '×',
      'fastest other',
    ],
    rows,
  };
}

// On the server's own clock; the keys are in memory when it starts.
const buildFunction = `
  CREATE FUNCTION bits.build(p_way text, p_size integer, OUT ms double precision, OUT digest text)
  LANGUAGE plpgsql AS $$
  DECLARE
    v_keys bigint[] := (SELECT keys || '{}'::bigint[] FROM bits.keys);
    v_started timestamptz := clock_timestamp();
    v_bits bit varying;
  BEGIN
    EXECUTE format('SELECT %s($1, $2)', p_way) INTO v_bits USING v_keys, p_size;
    ms := extract(epoch FROM clock_timestamp() - v_started) * 1000;
    digest := length(v_bits) || ' ' || md5(bit_send(v_bits));
  END
  $$`;

async function build(client: Client, way: string, size: number) {
  const { rows } = await client.query<{ ms: number; digest: string }>(
    'SELECT * FROM bits.build($1, $2)',
    [way, size],
  );
  const [result] = rows;
  if (result === undefined) throw new Error(`${way} built nothing`);
  return result;
}

const bitsize = 1_000_000;
const grownRows = 200;

/** A cache table of 200 sets of a million bits outgrown by one more set. */
async function growing(context: BenchContext) {
  context.say('  growing');
  const site = await context.site({ name: 'growth', backend: 'bit', defaultBitsize: bitsize });
  await createSampleTable(site);
  const client = await site.connectAs('client');
  const watcher = await site.connectAs('admin');
  const runner = await createSlotRunner(site, 1);
  let settled = 0;
  const drain = async (fragments: readonly Fragment[]) => {
    await enqueue(client, site, fragments);
    const ms = await runner.drain(hasLeft(watcher, site, await lastQueueId(site)));
    if (!(await isEmpty(watcher, site)())) throw new Error('not all items have left the queue');
    settled += fragments.length;
    await assertOutcomes(site, { success: settled });
    return ms;
  };
  // About 1 % of the bits, so that what is stored has some size.
  const sets = (from: number) =>
    Array.from({ length: grownRows }, (_, i) =>
      fragment(
        `SELECT (id - 1) * 5 + ${i % 5} FROM pois WHERE id % 20 = ${i % 20} AND ${from + i} >= 0`,
      ),
    );

  const before = await drain(sets(0));
  const filenodes = [await filenode(site)];
  const widening = await drain([fragment(`SELECT ${bitsize + 200_000}`)]);
  filenodes.push(await filenode(site));
  const after = await drain(sets(grownRows));
  filenodes.push(await filenode(site));
  const metadata = await site.admin.query(`SELECT bitsize FROM ${site.tables.metadata}`);
  if (filenodes[0] === filenodes[1] || metadata.rows[0].bitsize <= bitsize) {
    throw new Error('the table was not widened');
  }
  return {
    title: `A bit table of ${grownRows} sets of ${number(bitsize)} bits, outgrown by one key; the whole way of an item`,
    headings: ['step', 'ms an item', 'bitsize afterwards', 'table rewritten'],
    rows: [
      [`${grownRows} items before`, number(before / grownRows), number(bitsize), 'no'],
      ['the item that outgrows it', number(widening), number(metadata.rows[0].bitsize), 'once'],
      [
        `${grownRows} items afterwards`,
        number(after / grownRows),
        number(metadata.rows[0].bitsize),
        filenodes[1] === filenodes[2] ? 'no' : '**yes**',
      ],
    ],
  };
}

function fragment(query: string): Fragment {
  return { query, hash: createHash('sha1').update(query).digest('hex') };
}

async function filenode(site: Site): Promise<string> {
  const { rows } = await site.admin.query('SELECT pg_relation_filenode($1::regclass) AS node', [
    site.tables.cache,
  ]);
  return String(rows[0].node);
}
