import { beforeAll, describe, expect, it } from 'vitest';
import { tablesOf } from '../harness/deployment.js';
import {
  type Bench,
  canary,
  cleanRun,
  emptyQueue,
  enqueueInOrder,
  type Item,
  keysOf,
  LAYOUTS,
  openBench,
  openSession,
  outcomeOf,
  runQueued,
} from './untrusted/bench.js';

// Whoever may create something in the clients' schema may give it the name of something the processor uses, with
// parameter types that fit better than PostgreSQL's own (format(text, text) beats format(text, VARIADIC "any")).
// Each of these raises an error when it is used, and the fragments below do not use them.

describe.each(LAYOUTS)('%s', (layout) => {
  let bench: Bench;
  let clean: readonly number[];

  beforeAll(async () => {
    bench = await openBench(layout);
    clean = (await cleanRun(bench, 'slot')).canary;
    await bench.app.query(shadows());
    return () => bench.admin.end();
  });

  const functions: readonly (readonly [string, ...string[]])[] = [
    ['format', 'text', 'text', 'text, text', 'text, text, text', 'text, text, text, text'],
    ['format', 'text, integer', 'text, bigint', 'text, name', 'text, regclass'],
    ['concat', 'text, text', 'text, text, text'],
    ['concat_ws', 'text, text, text'],
    ['pg_typeof', 'integer', 'bigint', 'numeric', 'text', 'timestamp'],
    ['cardinality', 'integer[]', 'bigint[]', 'numeric[]', 'text[]', 'timestamp[]'],
    ['array_length', 'integer[], integer', 'bigint[], integer', 'text[], integer'],
    ['unnest', 'integer[]', 'bigint[]', 'text[]'],
    ['array_append', 'integer[], integer', 'bigint[], bigint', 'text[], text'],
    ['to_jsonb', 'integer', 'text', 'integer[]'],
    ['count', 'integer', 'text'],
    ['coalesce', 'text, text'],
    ['quote_literal', 'integer', 'bigint', 'varchar'],
    ['quote_ident', 'varchar', 'name'],
    ['regexp_replace', 'varchar, varchar, varchar', 'name, text, text'],
    ['set_config', 'varchar, varchar, boolean', 'name, text, boolean', 'text, text, boolean'],
    ['current_setting', 'varchar', 'text'],
    ['to_regclass', 'varchar', 'text'],
    ['pg_advisory_lock', 'integer, bigint', 'oid, integer', 'integer, integer'],
    ['pg_advisory_unlock', 'oid, integer', 'integer, integer'],
    ['pg_advisory_xact_lock', 'oid, integer', 'integer, integer'],
    ['pg_sleep', 'integer', 'numeric', 'double precision'],
    ['make_interval', 'integer'],
    ['least', 'integer, integer'],
    ['now', ''],
    ['clock_timestamp', ''],
  ];

  const operators: readonly (readonly [string, string, string])[] = [
    ['=', 'text', 'varchar'],
    ['=', 'varchar', 'varchar'],
    ['=', 'text', 'text'],
    ['=', 'integer', 'integer'],
    ['=', 'name', 'varchar'],
    ['<>', 'varchar', 'varchar'],
    ['<>', 'text', 'varchar'],
    ['||', 'text', 'text'],
    ['||', 'text', 'integer'],
    ['||', 'text', 'bigint'],
    ['||', 'varchar', 'text'],
    ['||', 'integer[]', 'integer[]'],
    ['+', 'integer', 'numeric'],
    ['+', 'bigint', 'integer'],
    ['<', 'integer', 'numeric'],
    ['>', 'integer', 'bigint'],
    ['>=', 'timestamptz', 'timestamp'],
    ['~', 'varchar', 'text'],
  ];

  const tables = [
    'pg_class',
    'pg_locks',
    'pg_namespace',
    'pg_type',
    'deployment',
    'slot',
    'settings',
    'claim',
    'keys',
    'fragment',
    'unnest',
  ];

  function shadows(): string {
    const routines = functions.flatMap(([name, ...parameters]) =>
      parameters.map(
        (types) =>
          `CREATE OR REPLACE FUNCTION public."${name}"(${types}) RETURNS text LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'public.${name}(${types}) was called'; END $$;`,
      ),
    );
    const aggregates = ['integer', 'bigint', 'numeric', 'text', 'timestamp'].map(
      (type) => `
      CREATE FUNCTION public.trap(state ${type}[], next ${type}) RETURNS ${type}[] LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'public.array_agg(${type}) was called'; END $$;
      CREATE AGGREGATE public.array_agg(${type}) (SFUNC = trap, STYPE = ${type}[]);`,
    );
    const comparisons = operators.map(
      ([operator, left, right], i) => `
      CREATE FUNCTION public.trap_${i}(${left}, ${right}) RETURNS boolean LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'public.${operator}(${left}, ${right}) was called'; END $$;
      CREATE OPERATOR public.${operator} (FUNCTION = trap_${i}, LEFTARG = ${left}, RIGHTARG = ${right});`,
    );
    const relations = tables.map((table) => `CREATE TABLE public.${table} (trap integer);`);
    const types = ['text', 'regclass', 'oid', 'regtype'].map(
      (type) => `CREATE DOMAIN public.${type} AS integer CHECK (VALUE < 0);`,
    );
    return [...routines, ...aggregates, ...comparisons, ...relations, ...types].join('\n');
  }

  describe.each([
    ['a run of a slot', 'slot'],
    ['processing by hand in one transaction', 'manual'],
  ] as const)('what is created in the clients’ schema is harmless in %s', (_, way) => {
    it.each([
      ['integer', 'SELECT DISTINCT zipcode FROM pois WHERE zipcode IS NOT NULL ORDER BY 1'],
      ['integer', 'SELECT DISTINCT area FROM pois ORDER BY 1'],
      ['float', 'SELECT DISTINCT price FROM pois ORDER BY 1'],
      ['text', 'SELECT DISTINCT city FROM pois ORDER BY 1'],
      ['timestamp', 'SELECT DISTINCT opened FROM pois ORDER BY 1'],
    ])('to keys of datatype %s: %s', async (datatype, query) => {
      const column = query.split(' ')[2];
      const item = (hash: string, given: string | null): Item => ({
        hash: `${column}: ${hash} (${way})`,
        key: `shadow_${way}_${column}`,
        datatype: given,
        query,
      });
      const items = [
        item('first', null),
        item('again', datatype),
        item('none', datatype),
        canary(`${column} (${way}), at last`),
      ];
      items[2] = { ...item('none', datatype), query: `SELECT * FROM (${query}) AS a LIMIT 0` };
      await insert(items);
      const run = await runQueued(bench, way);
      expect(run).toMatchObject({ error: undefined, notices: [] });
      const outcomes = await Promise.all(items.map(({ hash }) => outcomeOf(bench, hash)));
      expect(outcomes).toEqual(['ok', 'ok', 'ok', 'ok']);
      const { rows } = await bench.admin.query({ text: query, rowMode: 'array' });
      const keys = rows.flat().map(String);
      expect(keys.length).toBeGreaterThan(10);
      expect(await stored(items[0])).toEqual(keys);
      expect(await stored(items[1])).toEqual(keys);
      expect(await stored(items[2])).toEqual([]);
      expect(await keysOf(bench, 'zipcode', `${column} (${way}), at last`)).toEqual(clean);
    });

    it('to errors and what is made of them', async () => {
      const hash = `division by zero (${way})`;
      await insert([
        { hash, key: 'zipcode', datatype: 'integer', query: 'SELECT 1 / 0' },
        canary(`${hash}, at last`),
      ]);
      await runQueued(bench, way);
      expect(await outcomeOf(bench, hash)).toBe('failed: 22012: division by zero');
      expect(await outcomeOf(bench, `${hash}, at last`)).toBe('ok');
    });
  });

  it('what is created in the clients’ schema is harmless to enqueueing', async () => {
    await enqueueInOrder(bench, [canary('enqueued')]);
    const { rows } = await bench.app.query(
      `SELECT non_blocking_fragment_queue_upsert('enqueued', 'zipcode', 'integer', 'SELECT 1', 5, 'partitioncache_queue_query_fragment_queue') AS fragment,
            non_blocking_original_queue_upsert('SELECT 1', 'zipcode', 'integer', 5, 'partitioncache_queue_original_query_queue') AS original`,
    );
    expect(rows).toEqual([{ fragment: 'updated', original: 'inserted' }]);
    await emptyQueue(bench);
  });

  // Not by the clients' functions, so that each test shows what it is about.
  async function insert(items: readonly Item[]): Promise<void> {
    for (const [i, { hash, key, datatype, query }] of items.entries()) {
      await bench.app.query(
        `INSERT INTO ${tablesOf(bench.settings).fragmentQueue} (hash, partition_key, partition_datatype, query, priority)
       VALUES ($1, $2, $3, $4, $5)`,
        [hash, key, datatype, query, items.length - i],
      );
    }
  }

  async function stored(item: Item | undefined): Promise<string[] | undefined> {
    return item && (await keysOf(bench, item.key, item.hash))?.map(String);
  }

  describe('what the caller has in its own temporary schema', () => {
    it('is harmless: it replaces neither a table of the fragment nor a type of ours', async () => {
      const session = await openSession(bench, 'manual');
      await session.query(`
      CREATE TEMPORARY TABLE pois (id integer, zipcode integer);
      INSERT INTO pois VALUES (1, 666);
      CREATE TEMPORARY TABLE text (trap integer);
      CREATE TEMPORARY TABLE int8 (trap integer)`);
      await insert([
        canary('temporary'),
        {
          hash: 'temporary text',
          key: 'label',
          datatype: 'text',
          query: 'SELECT city FROM public.pois WHERE id = 1',
        },
      ]);
      await session.query('SELECT partitioncache_manual_process_queue(10)');
      await session.end();
      expect(await outcomeOf(bench, 'temporary')).toBe('ok');
      expect(await keysOf(bench, 'zipcode', 'temporary')).toEqual(clean);
      expect(await outcomeOf(bench, 'temporary text')).toBe('ok');
      expect(await keysOf(bench, 'label', 'temporary text')).toEqual(['city 1']);
    });
  });
});
