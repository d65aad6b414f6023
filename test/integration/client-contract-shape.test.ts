import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { dumpSchema } from '../harness/dump-schema.js';
import {
  bitBackend,
  clientsOwnTables,
  clientsOwnVersion,
  contractFunctions,
  type Scenario,
  startScenario,
} from './client-contract.js';

interface Column {
  name: string;
  type: string;
  required: boolean;
  value: string | null;
  generated: boolean;
}

async function columnsOf({ app }: Scenario, table: string): Promise<Column[]> {
  const { rows } = await app.query<Column>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS required,
            pg_get_expr(adbin, adrelid) AS value, attgenerated = 's' AS generated
       FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [pg.escapeIdentifier(table)],
  );
  return rows;
}

async function keysOf({ app }: Scenario, table: string): Promise<string[]> {
  const { rows } = await app.query<{ key: string }>(
    `SELECT pg_get_constraintdef(oid) AS key FROM pg_constraint
      WHERE conrelid = $1::regclass AND contype IN ('p', 'u') ORDER BY 1`,
    [pg.escapeIdentifier(table)],
  );
  return rows.map(({ key }) => key);
}

function column(name: string, type: string, ...properties: ('NN' | `= ${string}`)[]): Column {
  const value = properties.find((property) => property.startsWith('= '));
  return {
    name,
    type,
    required: properties.includes('NN'),
    value: value?.slice(2) ?? null,
    generated: false,
  };
}

const TIMESTAMP = 'timestamp without time zone';
const id = (table: string) =>
  column('id', 'integer', 'NN', `= nextval('${table}_id_seq'::regclass)`);
const created = column('created_at', TIMESTAMP, '= now()');
const updated = column('updated_at', TIMESTAMP, '= now()');

const tables: Record<string, { columns: Column[]; keys: string[] }> = {
  partitioncache_queue_original_query_queue: {
    columns: [
      id('partitioncache_queue_original_query_queue'),
      column('query', 'text', 'NN'),
      column('partition_key', 'text', 'NN'),
      column('partition_datatype', 'text'),
      column('priority', 'integer', 'NN', '= 1'),
      created,
      updated,
    ],
    keys: ['PRIMARY KEY (id)', 'UNIQUE (query, partition_key)'],
  },
  partitioncache_queue_query_fragment_queue: {
    columns: [
      id('partitioncache_queue_query_fragment_queue'),
      column('query', 'text', 'NN'),
      column('hash', 'text', 'NN'),
      column('partition_key', 'text', 'NN'),
      column('partition_datatype', 'text'),
      column('priority', 'integer', 'NN', '= 1'),
      created,
      updated,
    ],
    keys: ['PRIMARY KEY (id)', 'UNIQUE (hash, partition_key)'],
  },
  partitioncache_queue_processor_config: {
    columns: [
      column('job_name', 'text', 'NN'),
      column('enabled', 'boolean', 'NN', '= false'),
      column('max_parallel_jobs', 'integer', 'NN', '= 5'),
      column('frequency_seconds', 'integer', 'NN', '= 1'),
      column('timeout_seconds', 'integer', 'NN', '= 1800'),
      column('stale_after_seconds', 'integer', 'NN', '= 3600'),
      column('table_prefix', 'text', 'NN'),
      column('queue_prefix', 'text', 'NN'),
      column('cache_backend', 'text', 'NN'),
      column('target_database', 'text', 'NN'),
      column('result_limit', 'integer'),
      column('default_bitsize', 'integer'),
      column('job_ids', 'bigint[]', "= '{}'::bigint[]"),
      updated,
    ],
    keys: ['PRIMARY KEY (job_name)'],
  },
  partitioncache_queue_processor_log: {
    columns: [
      id('partitioncache_queue_processor_log'),
      column('job_id', 'text', 'NN'),
      column('query_hash', 'text', 'NN'),
      column('partition_key', 'text', 'NN'),
      column('status', 'text', 'NN'),
      column('error_message', 'text'),
      column('rows_affected', 'integer'),
      column('execution_time_ms', 'numeric(10,3)'),
      column('execution_source', 'text'),
      created,
    ],
    keys: ['PRIMARY KEY (id)'],
  },
  partitioncache_queue_active_jobs: {
    columns: [
      column('query_hash', 'text', 'NN'),
      column('partition_key', 'text', 'NN'),
      column('job_id', 'text', 'NN'),
      column('pid', 'integer'),
      column('started_at', TIMESTAMP),
      column('query', 'text', 'NN'),
      column('partition_datatype', 'text'),
    ],
    keys: ['PRIMARY KEY (query_hash, partition_key)'],
  },
};

const queries = {
  columns: [
    column('query_hash', 'text', 'NN'),
    column('partition_key', 'text', 'NN'),
    column('query', 'text', 'NN'),
    column('status', 'text', 'NN', "= 'ok'::text"),
    column('last_seen', TIMESTAMP, 'NN', '= now()'),
  ],
  keys: ['PRIMARY KEY (query_hash, partition_key)'],
};

const backends = {
  array: {
    environment: {},
    prefix: 'my_cache',
    metadata: [column('partition_key', 'text', 'NN'), column('datatype', 'text', 'NN'), created],
    datatypes: ['integer', 'float', 'text', 'timestamp'],
    noDatatypes: ['bigint', 'uuid', ''],
  },
  bit: {
    environment: bitBackend,
    prefix: 'my_bits',
    metadata: [
      column('partition_key', 'text', 'NN'),
      column('datatype', 'text', 'NN'),
      created,
      column('bitsize', 'integer', 'NN'),
    ],
    datatypes: ['integer'],
    noDatatypes: ['float', 'text', 'timestamp'],
  },
};

describe.each(['array', 'bit'] as const)('the tables, with backend %s', (backend) => {
  const { environment, prefix, metadata, datatypes, noDatatypes } = backends[backend];
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await startScenario(environment);
  });

  it.each(Object.entries(tables))('%s', async (table, expected) => {
    expect(await columnsOf(scenario, table)).toEqual(expected.columns);
    expect(await keysOf(scenario, table)).toEqual(expected.keys);
  });

  it('partition_metadata and queries', async () => {
    expect(await columnsOf(scenario, `${prefix}_partition_metadata`)).toEqual(metadata);
    expect(await keysOf(scenario, `${prefix}_partition_metadata`)).toEqual([
      'PRIMARY KEY (partition_key)',
    ]);
    expect(await columnsOf(scenario, `${prefix}_queries`)).toEqual(queries.columns);
    expect(await keysOf(scenario, `${prefix}_queries`)).toEqual(queries.keys);
  });

  async function accepts(statement: string, values: unknown[]): Promise<boolean> {
    await scenario.app.query('BEGIN');
    try {
      await scenario.app.query(statement, values);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: '23514' });
      return false;
    } finally {
      await scenario.app.query('ROLLBACK');
    }
  }

  it('accept the datatypes of the backend and no other', async () => {
    const insert =
      backend === 'bit'
        ? `INSERT INTO ${prefix}_partition_metadata (partition_key, datatype, bitsize) VALUES ('k', $1, 10)`
        : `INSERT INTO ${prefix}_partition_metadata (partition_key, datatype) VALUES ('k', $1)`;
    for (const datatype of datatypes) expect(await accepts(insert, [datatype])).toBe(true);
    for (const datatype of noDatatypes) expect(await accepts(insert, [datatype])).toBe(false);
  });

  it.each([
    [
      'a status of a query',
      `INSERT INTO ${prefix}_queries (query_hash, partition_key, query, status) VALUES ('h', 'k', 'q', $1)`,
      ['ok', 'timeout', 'failed', 'limit'],
      ['success', 'OK', ''],
    ],
    [
      'a status in the log',
      "INSERT INTO partitioncache_queue_processor_log (job_id, query_hash, partition_key, status) VALUES ('j', 'h', 'k', $1)",
      ['started', 'success', 'failed', 'timeout', 'skipped'],
      ['ok', ''],
    ],
    [
      'a source in the log',
      "INSERT INTO partitioncache_queue_processor_log (job_id, query_hash, partition_key, status, execution_source) VALUES ('j', 'h', 'k', 'success', $1)",
      ['cron', 'manual', 'unknown', null],
      ['auto', ''],
    ],
  ])('take %s from the list and no other', async (_what, insert, good, bad) => {
    for (const value of good) expect(await accepts(insert, [value])).toBe(true);
    for (const value of bad) expect(await accepts(insert, [value])).toBe(false);
  });

  it('are not changed by the CREATE TABLE IF NOT EXISTS of a client', async () => {
    const { site, settings, app } = scenario;
    await app.query('SELECT partitioncache_bootstrap_partition($1, $2, $3, $4)', [
      prefix,
      'zipcode',
      'integer',
      backend,
    ]);
    const before = await dumpSchema(site.cluster, site.database);
    const notices: string[] = [];
    const listen = ({ message }: { message?: string | undefined }) => notices.push(String(message));
    app.on('notice', listen);
    const own = clientsOwnTables(settings);
    for (const [table, definition] of Object.entries(own)) {
      await app.query(`CREATE TABLE IF NOT EXISTS ${table} (${definition})`);
    }
    app.off('notice', listen);
    expect(notices).toEqual(
      Object.keys(own).map((table) => `relation "${table}" already exists, skipping`),
    );
    expect(await dumpSchema(site.cluster, site.database)).toBe(before);
  });
});

describe('the cache tables', () => {
  let array: Scenario;

  beforeAll(async () => {
    array = await startScenario();
  });

  async function expectCacheTable(scenario: Scenario, table: string, type: string) {
    const columns = await columnsOf(scenario, table);
    expect(columns.map(({ value: _, ...shape }) => shape)).toEqual([
      { name: 'query_hash', type: 'text', required: true, generated: false },
      { name: 'partition_keys', type, required: false, generated: false },
      { name: 'partition_keys_count', type: 'integer', required: false, generated: true },
    ]);
    expect(await keysOf(scenario, table)).toEqual(['PRIMARY KEY (query_hash)']);
  }

  it.each([
    ['integer', 'integer[]', '{1,2,3}'],
    ['float', 'numeric[]', '{1.5,2,3}'],
    ['text', 'text[]', '{a,b,c}'],
    ['timestamp', 'timestamp without time zone[]', '{2026-01-01,2026-01-02,2026-01-03}'],
  ])('hold %s keys as %s', async (datatype, type, three) => {
    const { app } = array;
    await app.query("SELECT partitioncache_bootstrap_partition('my_cache', $1, $2, 'array')", [
      `of ${datatype}`,
      datatype,
    ]);
    const table = pg.escapeIdentifier(`my_cache_cache_of ${datatype}`);
    await expectCacheTable(array, `my_cache_cache_of ${datatype}`, type);
    await app.query(
      `INSERT INTO ${table} (query_hash, partition_keys) VALUES ('three', $1), ('none', '{}'), ('unusable', NULL)`,
      [three],
    );
    const { rows } = await app.query(
      `SELECT query_hash, partition_keys_count AS count FROM ${table} ORDER BY query_hash`,
    );
    expect(rows).toEqual([
      { query_hash: 'none', count: 0 },
      { query_hash: 'three', count: 3 },
      { query_hash: 'unusable', count: null },
    ]);
  });

  it('hold bits as bit(bitsize)', async () => {
    const scenario = await startScenario(bitBackend);
    const { app } = scenario;
    await app.query(
      "SELECT partitioncache_bootstrap_partition('my_bits', 'wide', 'integer', 'bit', 12)",
    );
    await app.query(
      "SELECT partitioncache_bootstrap_partition('my_bits', 'usual', 'integer', 'bit')",
    );
    await expectCacheTable(scenario, 'my_bits_cache_wide', 'bit(12)');
    await expectCacheTable(scenario, 'my_bits_cache_usual', 'bit(1000)');
    const metadata = await app.query(
      'SELECT partition_key, datatype, bitsize FROM my_bits_partition_metadata ORDER BY 1',
    );
    expect(metadata.rows).toEqual([
      { partition_key: 'usual', datatype: 'integer', bitsize: 1000 },
      { partition_key: 'wide', datatype: 'integer', bitsize: 12 },
    ]);
    await app.query(
      "INSERT INTO my_bits_cache_wide (query_hash, partition_keys) VALUES ('three', B'100000000011'), ('none', B'000000000000'), ('unusable', NULL)",
    );
    const { rows } = await app.query(
      'SELECT query_hash, partition_keys_count AS count FROM my_bits_cache_wide ORDER BY query_hash',
    );
    expect(rows).toEqual([
      { query_hash: 'none', count: 0 },
      { query_hash: 'three', count: 3 },
      { query_hash: 'unusable', count: null },
    ]);
  });
});

describe('the functions', () => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await startScenario();
  });

  async function definitions() {
    const { rows } = await scenario.work.query(
      `SELECT proname AS name, pg_get_function_arguments(oid) AS parameters, pg_get_function_result(oid) AS returns
         FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = ANY ($1)
        ORDER BY proname, pronargs`,
      [contractFunctions.map(({ name }) => name)],
    );
    return rows;
  }

  it('have the names, parameters, defaults and results of the contract, and no other overloads', async () => {
    expect(await definitions()).toEqual(contractFunctions);
    const { rows } = await scenario.app.query(
      "SELECT prokind FROM pg_proc WHERE oid = to_regprocedure('array_intersect_agg(anyarray)')",
    );
    expect(rows).toEqual([{ prokind: 'a' }]);
  });

  it.each(
    contractFunctions.map((contract): [string, typeof contract] => [
      `${contract.name}(${contract.parameters})`,
      contract,
    ]),
  )('can be replaced by a client that owns %s', async (_name, contract) => {
    await scenario.work.query('BEGIN');
    await scenario.work.query(clientsOwnVersion(contract));
    expect(await definitions()).toEqual(contractFunctions);
    await scenario.work.query('ROLLBACK');
  });

  it('stay ours if the client does not own them', async () => {
    const before = await dumpSchema(scenario.site.cluster, scenario.site.database);
    for (const contract of contractFunctions) {
      await expect(scenario.app.query(clientsOwnVersion(contract))).rejects.toMatchObject({
        code: '42501',
        message: `must be owner of function ${contract.name}`,
      });
    }
    expect(await dumpSchema(scenario.site.cluster, scenario.site.database)).toBe(before);
  });
});
