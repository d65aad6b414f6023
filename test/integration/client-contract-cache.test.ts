import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultJobName } from '../../src/processor/default-job-name.js';
import { runProcessor } from '../../src/processor/run-processor.js';
import { adminClient } from '../harness/databases.js';
import {
  connectAs,
  deploy,
  enqueue,
  type Fragment,
  setUp,
  tablesOf,
} from '../harness/deployment.js';
import { migrationBefore } from '../harness/package-migrations.js';
import { bitBackend, type Scenario, startScenario } from './client-contract.js';

async function value(client: pg.Client, expression: string, values: unknown[] = []) {
  const { rows } = await client.query(`SELECT (SELECT ${expression}) AS value`, values);
  return rows[0].value;
}

async function columnOf(client: pg.Client, table: string, column: string): Promise<unknown[]> {
  const { rows } = await client.query(`SELECT ${column} AS value FROM ${table} ORDER BY 1`);
  return rows.map((row) => row.value);
}

function process({ cronRole, settings }: Scenario) {
  return runProcessor(cronRole, settings, defaultJobName(settings), 1000);
}

describe('the array cache', () => {
  let scenario: Scenario;
  let app: pg.Client;

  beforeAll(async () => {
    scenario = await startScenario();
    app = scenario.app;
  });

  const bootstrap = (key: string, datatype: string, backend: string | null = 'array') =>
    value(app, "partitioncache_bootstrap_partition('my_cache', $1, $2, $3)", [
      key,
      datatype,
      backend,
    ]);

  it('has the names of the contract', async () => {
    expect(await value(app, "partitioncache_get_cache_table_name('p', 'K 1')")).toBe('p_cache_K 1');
    expect(await value(app, "partitioncache_get_metadata_table_name('p')")).toBe(
      'p_partition_metadata',
    );
    expect(await value(app, "partitioncache_get_queries_table_name('p')")).toBe('p_queries');
  });

  it('already exists when a client ensures it, even without a right to create tables', async () => {
    const admin = await adminClient(scenario.site.database);
    try {
      await admin.query(`REVOKE CREATE ON SCHEMA public FROM ${scenario.site.app.name}`);
      expect(await value(app, "partitioncache_ensure_metadata_tables('my_cache')")).toBe('');
      expect(await bootstrap('without', 'integer')).toBe(true);
    } finally {
      await admin.query(`GRANT CREATE ON SCHEMA public TO ${scenario.site.app.name}`);
      await admin.end();
    }
  });

  it('is ready for a partition key the first time and every time', async () => {
    expect(await bootstrap('ready', 'text')).toBe(true);
    await app.query(
      "INSERT INTO my_cache_cache_ready (query_hash, partition_keys) VALUES ('h', '{a}')",
    );
    expect(await bootstrap('ready', 'text')).toBe(true);
    expect(await columnOf(app, 'my_cache_cache_ready', 'query_hash')).toEqual(['h']);
    expect(
      await columnOf(app, "my_cache_partition_metadata WHERE partition_key = 'ready'", 'datatype'),
    ).toEqual(['text']);
  });

  it('creates the table of a partition key that has only metadata', async () => {
    await app.query(
      "INSERT INTO my_cache_partition_metadata (partition_key, datatype) VALUES ('half', 'float')",
    );
    expect(await bootstrap('half', 'float')).toBe(true);
    expect(await columnOf(app, 'my_cache_cache_half', 'query_hash')).toEqual([]);
  });

  it.each([
    [
      'another datatype than the key has',
      ['ready', 'integer', 'array'],
      '42804',
      'partition key "ready" holds text keys already, not integer',
    ],
    [
      'no datatype of the contract',
      ['new', 'uuid', 'array'],
      '23514',
      'new row for relation "my_cache_partition_metadata" violates check constraint "my_cache_partition_metadata_datatype_check"',
    ],
    [
      'another backend than the deployment has',
      ['new', 'integer', 'bit'],
      '0A000',
      'cache my_cache has backend array, not bit',
    ],
    [
      'the backend h3 of PostGIS',
      ['new', 'integer', 'h3'],
      '0A000',
      'backend h3 is not supported by pcache-migrate: it deploys array, bit and roaringbit',
    ],
    [
      'the backend bbox of PostGIS',
      ['new', 'integer', 'bbox'],
      '0A000',
      'backend bbox is not supported by pcache-migrate: it deploys array, bit and roaringbit',
    ],
    [
      'no backend',
      ['new', 'integer', null],
      '0A000',
      'backend <NULL> is not supported by pcache-migrate: it deploys array, bit and roaringbit',
    ],
    [
      'a key that is too long for a table',
      ['k'.repeat(60), 'integer', 'array'],
      '42622',
      expect.stringContaining('cannot name a cache table'),
    ],
  ] as const)('refuses %s', async (_what, [key, datatype, backend], code, message) => {
    await bootstrap('ready', 'text');
    await expect(bootstrap(key, datatype, backend)).rejects.toMatchObject({ code, message });
    expect(
      await columnOf(
        app,
        `my_cache_partition_metadata WHERE partition_key IN ('new', '${'k'.repeat(60)}')`,
        'partition_key',
      ),
    ).toEqual([]);
  });

  it.each([
    "partitioncache_ensure_metadata_tables('nobody')",
    "partitioncache_bootstrap_partition('nobody', 'k', 'integer', 'array')",
    "partitioncache_create_bitsize_trigger('nobody')",
  ])('knows no other prefix: %s', async (call) => {
    await expect(value(app, call)).rejects.toMatchObject({
      code: '42704',
      message: expect.stringContaining('has table_prefix "nobody"'),
    });
  });

  it('has no bitsize', async () => {
    await expect(
      value(app, "partitioncache_create_bitsize_trigger('my_cache')"),
    ).rejects.toMatchObject({
      code: '0A000',
      message: 'cache my_cache has backend array: only bit has a bitsize',
    });
  });

  it('has tables that belong to the migrator, for the client and the jobs to use', async () => {
    await bootstrap('by the client', 'integer');
    await enqueue(app, scenario.settings, [
      { hash: 'own', key: 'by the processor', datatype: 'integer', query: 'SELECT 1' },
    ]);
    expect((await process(scenario)).outcomes).toEqual({ ok: 1 });
    for (const table of ['my_cache_cache_by the client', 'my_cache_cache_by the processor']) {
      const name = pg.escapeIdentifier(table);
      expect(
        await value(app, 'pg_get_userbyid(relowner)::text FROM pg_class WHERE relname = $1', [
          table,
        ]),
      ).toBe(scenario.site.migrator.name);
      for (const client of [app, scenario.cronRole]) {
        await client.query(`INSERT INTO ${name} (query_hash, partition_keys) VALUES ('x', '{1}')`);
        await client.query(`UPDATE ${name} SET partition_keys = '{1,2}' WHERE query_hash = 'x'`);
        expect(
          await columnOf(client, `${name} WHERE query_hash = 'x'`, 'partition_keys_count'),
        ).toEqual([2]);
        await client.query(`DELETE FROM ${name} WHERE query_hash = 'x'`);
      }
    }
  });

  it('has intarray and an aggregate that intersects', async () => {
    expect(await value(app, 'partitioncache_setup_array_extensions()')).toBe(true);
    expect(
      await value(app, "(SELECT count(*)::int FROM pg_extension WHERE extname = 'intarray')"),
    ).toBe(1);
    expect(await value(app, "'{1,2,3}'::integer[] & '{2,3,4}'::integer[]")).toEqual([2, 3]);
  });

  it.each([
    ['integer', ['{3,1,2}', '{2,3,9}', '{3,2}'], '{2,3}'],
    ['bigint', ['{5000000003,5000000001}', '{5000000001}'], '{5000000001}'],
    ['text', ['{b,a,"c d"}', '{"c d",b}'], '{b,"c d"}'],
    ['numeric', ['{1.5,2}', '{2.0,1.50}'], '{1.5,2}'],
    ['timestamp', ['{2026-01-02}', '{2026-01-02,2026-01-03}'], '{"2026-01-02 00:00:00"}'],
    ['integer', ['{1,2}', '{3,4}'], '{}'],
    ['integer', ['{1,2}', '{}', '{1,2}'], '{}'],
    ['text', ['{}', '{}'], '{}'],
    ['integer', ['{1,2}'], '{1,2}'],
    // Known, but of no use for filtering: left out.
    ['integer', ['{1,2}', null, '{2}'], '{2}'],
    ['integer', [null, '{1,2}', '{2}'], '{2}'],
    ['integer', [null, null], null],
    ['integer', [], null],
  ])('intersects sets of %s: %j to %s', async (type, sets, expected) => {
    expect(
      await value(
        app,
        `array_intersect_agg(keys::${type}[] ORDER BY position)::text FROM unnest($1::text[]) WITH ORDINALITY AS given (keys, position)`,
        [sets],
      ),
    ).toBe(expected);
  });

  it('is not without an aggregate for long', async () => {
    await scenario.work.query('DROP AGGREGATE array_intersect_agg(anyarray)');
    expect(await value(app, 'partitioncache_setup_array_extensions()')).toBe(true);
    expect(
      await value(app, "array_intersect_agg(k) FROM (VALUES ('{1,2}'::int[]), ('{2}')) AS v (k)"),
    ).toEqual([2]);
  });
});

describe('the bit cache', () => {
  let scenario: Scenario;
  let app: pg.Client;

  beforeAll(async () => {
    scenario = await startScenario(bitBackend);
    app = scenario.app;
  });

  const bootstrap = (key: string, datatype: string, bitsize: number | null) =>
    value(app, "partitioncache_bootstrap_partition('my_bits', $1, $2, 'bit', $3)", [
      key,
      datatype,
      bitsize,
    ]);

  it.each([
    ['text keys', 'text', 10],
    ['no bits', 'integer', 0],
    ['more bits than PostgreSQL has', 'integer', 83886081],
  ])('refuses %s', async (_what, datatype, bitsize) => {
    await expect(bootstrap('new', datatype, bitsize)).rejects.toMatchObject({ code: '23514' });
    expect(await value(app, "to_regclass('my_bits_cache_new')")).toBe(null);
  });

  it('has a trigger that widens the table when a client raises bitsize, and keeps its rows', async () => {
    expect(await value(app, "partitioncache_create_bitsize_trigger('my_bits')")).toBe('');
    await bootstrap('wide', 'integer', 4);
    await app.query(
      "INSERT INTO my_bits_cache_wide (query_hash, partition_keys) VALUES ('some', B'1001'), ('none', B'0000'), ('unusable', NULL)",
    );
    await app.query(
      "UPDATE my_bits_partition_metadata SET bitsize = 6 WHERE partition_key = 'wide'",
    );
    const { rows } = await app.query('SELECT * FROM my_bits_cache_wide ORDER BY query_hash');
    expect(rows).toEqual([
      { query_hash: 'none', partition_keys: '000000', partition_keys_count: 0 },
      { query_hash: 'some', partition_keys: '100100', partition_keys_count: 2 },
      { query_hash: 'unusable', partition_keys: null, partition_keys_count: null },
    ]);
    await app.query(
      "INSERT INTO my_bits_cache_wide (query_hash, partition_keys) VALUES ('new', B'000001')",
    );
    expect(await bootstrap('wide', 'integer', 2)).toBe(true);
    expect(await columnOf(app, 'my_bits_partition_metadata', 'bitsize')).toEqual([6]);
  });

  it('gets its trigger back', async () => {
    await scenario.work.query('DROP TRIGGER pcache_widen ON my_bits_partition_metadata');
    await value(scenario.work, "partitioncache_create_bitsize_trigger('my_bits')");
    await value(scenario.work, "partitioncache_create_bitsize_trigger('my_bits')");
    await bootstrap('back', 'integer', 2);
    await app.query(
      "INSERT INTO my_bits_cache_back (query_hash, partition_keys) VALUES ('h', B'11')",
    );
    await app.query(
      "UPDATE my_bits_partition_metadata SET bitsize = 3 WHERE partition_key = 'back'",
    );
    expect(await columnOf(app, 'my_bits_cache_back', 'partition_keys')).toEqual(['110']);
  });

  it('shows bitsize and columns in the information on queue and cache', async () => {
    await bootstrap('shown', 'integer', 77);
    const { rows } = await app.query(
      "SELECT * FROM partitioncache_get_queue_and_cache_info('my_bits', 'partitioncache_queue') WHERE partition_key = 'shown'",
    );
    expect(rows).toEqual([
      {
        partition_key: 'shown',
        cache_table_name: 'my_bits_cache_shown',
        cache_architecture: 'bit',
        cache_column_type: 'bit(77)',
        bitsize: 77,
        partition_datatype: 'integer',
        queue_items: 0,
        last_cache_update: null,
        cache_exists: true,
      },
    ]);
  });
});

describe('queue and cache', () => {
  let scenario: Scenario;
  let app: pg.Client;

  beforeAll(async () => {
    scenario = await startScenario();
    app = scenario.app;
  });

  const fragment = (hash: string, query = 'SELECT 1', key = 'zipcode'): Fragment => ({
    hash,
    key,
    datatype: 'integer',
    query,
  });

  async function queued(): Promise<unknown[]> {
    return columnOf(app, tablesOf(scenario.settings).fragmentQueue, 'hash');
  }

  it('shows what is cached, what is queued, and what is neither yet', async () => {
    await enqueue(app, scenario.settings, [
      fragment('shown'),
      fragment('failed', 'SELECT nothing', 'city'),
    ]);
    await process(scenario);
    await enqueue(app, scenario.settings, [
      fragment('a', 'SELECT 1', 'area'),
      fragment('b', 'SELECT 2', 'area'),
      { ...fragment('c', 'SELECT 3', 'untyped'), datatype: null },
      fragment('d'),
    ]);
    await app.query(
      "INSERT INTO my_cache_partition_metadata (partition_key, datatype) VALUES ('bare', 'text')",
    );
    const { rows } = await app.query(
      "SELECT * FROM partitioncache_get_queue_and_cache_info('my_cache', 'partitioncache_queue')",
    );
    const none = {
      cache_architecture: 'not_created',
      cache_column_type: null,
      bitsize: null,
      last_cache_update: null,
      cache_exists: false,
    };
    expect(rows).toEqual([
      {
        ...none,
        partition_key: 'area',
        cache_table_name: 'my_cache_cache_area',
        partition_datatype: 'integer',
        queue_items: 2,
      },
      {
        ...none,
        partition_key: 'bare',
        cache_table_name: 'my_cache_cache_bare',
        partition_datatype: 'text',
        queue_items: 0,
      },
      {
        ...none,
        partition_key: 'untyped',
        cache_table_name: 'my_cache_cache_untyped',
        partition_datatype: null,
        queue_items: 1,
      },
      {
        partition_key: 'zipcode',
        cache_table_name: 'my_cache_cache_zipcode',
        cache_architecture: 'array',
        cache_column_type: 'integer[]',
        bitsize: null,
        partition_datatype: 'integer',
        queue_items: 1,
        last_cache_update: expect.any(Date),
        cache_exists: true,
      },
    ]);
    await scenario.work.query(`TRUNCATE ${tablesOf(scenario.settings).fragmentQueue}`);
  });

  it('loses what is cached, and nothing else, from the queue by its cleanup', async () => {
    const cached = Array.from({ length: 60 }, (_, i) => fragment(`cached ${i}`));
    const evicted = fragment('evicted');
    const failed = fragment('failed', 'SELECT nothing');
    await enqueue(app, scenario.settings, [...cached, evicted, failed]);
    await process(scenario);
    await app.query("DELETE FROM my_cache_cache_zipcode WHERE query_hash = 'evicted'");
    const fresh = [fragment('new'), fragment('cached 0', 'SELECT 1', 'city')];
    await enqueue(app, scenario.settings, [...cached, evicted, failed, ...fresh]);
    const cleanUp = (limit = '') =>
      value(
        app,
        `partitioncache_cleanup_cached_queue_items('partitioncache_queue', 'my_cache'${limit})`,
      );
    expect(await cleanUp(', 3')).toBe(3);
    expect(await cleanUp(', 0')).toBe(0);
    expect(await cleanUp()).toBe(50);
    expect(await cleanUp()).toBe(7);
    expect(await cleanUp()).toBe(0);
    expect(await queued()).toEqual(['cached 0', 'evicted', 'failed', 'new']);
    await scenario.work.query(`TRUNCATE ${tablesOf(scenario.settings).fragmentQueue}`);
  });

  describe('processed by hand', () => {
    const byHand = async (values: string, client = app) =>
      (await client.query(`SELECT * FROM partitioncache_manual_process_queue(${values})`)).rows;
    const job = () => defaultJobName(scenario.settings);

    it('take as many fragments as asked for', async () => {
      await enqueue(
        app,
        scenario.settings,
        Array.from({ length: 105 }, (_, i) => fragment(`hand ${i}`)),
      );
      expect(await byHand('0')).toEqual([
        { processed_count: 0, message: `0 fragments processed by ${job()}` },
      ]);
      expect(await byHand('2')).toEqual([
        { processed_count: 2, message: `2 fragments processed by ${job()}` },
      ]);
      expect(await byHand('')).toMatchObject([{ processed_count: 100 }]);
      expect(await byHand(`p_job_name => '${job()}'`)).toMatchObject([{ processed_count: 3 }]);
      expect(await queued()).toEqual([]);
      expect(
        await value(
          app,
          "count(*)::int FROM my_cache_cache_zipcode WHERE query_hash LIKE 'hand %'",
        ),
      ).toBe(105);
    });

    it('refuse a processor that does not exist', async () => {
      await expect(byHand("1, 'nobody'")).rejects.toMatchObject({
        code: 'P0002',
        message: 'there is no processor "nobody"',
      });
    });

    it('are open to the role of the jobs too', async () => {
      expect(await byHand('1', scenario.cronRole)).toMatchObject([{ processed_count: 0 }]);
    });

    it('ask which processor is meant if two deployments have one', async () => {
      const settings = scenario.site.settings({
        PCACHE_SCHEMA: 'second',
        PG_QUEUE_TABLE_PREFIX: 'second_queue',
        PG_ARRAY_CACHE_TABLE_PREFIX: 'second_cache',
      });
      await deploy(settings, {
        streams: ['work'],
        to: await migrationBefore('work', 'cache_table_name'),
      });
      expect(await byHand('1')).toMatchObject([{ processed_count: 0 }]);
      await setUp(settings, { enable: false, parallel: 1 });
      await expect(byHand('1')).rejects.toMatchObject({
        code: '42P08',
        message: 'both deployment partitioncache and deployment second have such a processor',
      });
      await enqueue(app, settings, [fragment('of the second')]);
      expect(await byHand(`1, '${defaultJobName(settings)}'`)).toMatchObject([
        { processed_count: 1 },
      ]);
      expect(await columnOf(app, 'second_cache_cache_zipcode', 'query_hash')).toEqual([
        'of the second',
      ]);
    });

    it('ignore a deployment for another schema', async () => {
      const admin = await adminClient(scenario.site.database);
      await admin.query(
        `CREATE SCHEMA elsewhere; GRANT USAGE, CREATE ON SCHEMA elsewhere TO ${scenario.site.migrator.name}, ${scenario.site.app.name};
         GRANT USAGE ON SCHEMA elsewhere TO ${scenario.site.cronRole.name}, ${scenario.site.fragmentRole}`,
      );
      await admin.end();
      const settings = scenario.site.settings({
        PCACHE_SCHEMA: 'a_third',
        PCACHE_CLIENT_SCHEMA: 'elsewhere',
      });
      await setUp(settings, { enable: false, parallel: 1 });
      await expect(byHand('1')).rejects.toMatchObject({
        message: 'both deployment partitioncache and deployment second have such a processor',
      });
      const there = await connectAs(settings.client);
      await there.query('SET search_path = elsewhere');
      expect(await byHand('1', there)).toMatchObject([{ processed_count: 0 }]);
      await value(
        there,
        "partitioncache_bootstrap_partition('my_cache', 'third', 'text', 'array')",
      );
      expect(await value(there, "to_regclass('elsewhere.my_cache_cache_third') IS NOT NULL")).toBe(
        true,
      );
      expect(await value(there, "to_regclass('public.my_cache_cache_third')")).toBe(null);
    });

    it('say so if there is no processor at all', async () => {
      await scenario.work.query(`DELETE FROM ${tablesOf(scenario.settings).processorConfig}`);
      await scenario.work.query('DELETE FROM second_queue_processor_config');
      await expect(byHand('1')).rejects.toMatchObject({
        code: 'P0002',
        message: 'there is no processor in this database',
      });
    });
  });
});
