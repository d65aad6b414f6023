import type pg from 'pg';
import { clientName, ownName } from '../../src/deployment/own-names.js';
import { deploymentTables } from '../../src/deployment/placeholder-values.js';
import type { Settings } from '../../src/settings/settings.js';

/** Puts rows into those tables of the work database that are there and empty, whatever is deployed so far. */
export async function populate(client: pg.Client, settings: Settings): Promise<void> {
  const tables = deploymentTables(settings);
  const fill = async (name: string, columns: string, values: string, count = 1000) => {
    if (await isEmptyTable(client, name)) {
      await client.query(
        `INSERT INTO ${name} (${columns}) SELECT ${values} FROM generate_series(1, ${count}) AS i`,
      );
    }
  };
  const shared = (name: string) => clientName(settings, name);
  await fill(shared(tables.originalQueue), 'query, partition_key', "'SELECT ' || i, 'key1'");
  await fill(
    shared(tables.fragmentQueue),
    'query, hash, partition_key',
    "'SELECT ' || i, 'hash' || i, 'key1'",
  );
  await fill(
    shared(tables.processorConfig),
    'job_name, table_prefix, queue_prefix, cache_backend, target_database',
    `'processor' || i, '${settings.tablePrefix}', '${settings.queuePrefix}', '${settings.cacheBackend}', current_database()`,
    3,
  );
  await fill(
    shared(tables.processorLog),
    'job_id, query_hash, partition_key, status',
    "'processor1', 'hash' || i, 'key1', 'success'",
  );
  await fill(
    shared(tables.activeJobs),
    'query_hash, partition_key, job_id, query',
    "'hash' || i, 'key1', 'processor1', 'SELECT ' || i",
  );
  const isBit = settings.cacheBackend === 'bit';
  await fill(
    shared(tables.partitionMetadata),
    `partition_key, datatype${isBit ? ', bitsize' : ''}`,
    `'key' || i, 'integer'${isBit ? ', 64' : ''}`,
    3,
  );
  await fill(
    shared(tables.queries),
    'query_hash, partition_key, query',
    "'hash' || i, 'key1', 'SELECT ' || i",
  );
  await fill(
    ownName(settings, 'attempt'),
    'query_hash, partition_key, attempts, not_before, last_error',
    "'hash' || i, 'key1', 1, now(), 'an error'",
  );
  await fill(ownName(settings, 'batch'), 'lock_key, pid, queue_ids, alone', "i, i, '{1}', false");
  for (const key of ['key1', 'key2', 'key3']) {
    const cache = shared(`${settings.tablePrefix}_cache_${key}`);
    if (!(await isThere(client, shared(tables.partitionMetadata)))) break;
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${cache} (
         query_hash text PRIMARY KEY, partition_keys ${isBit ? 'bit(64)' : 'integer[]'},
         partition_keys_count integer GENERATED ALWAYS AS (${isBit ? 'length' : 'cardinality'}(partition_keys)) STORED)`,
    );
    await fill(cache, 'query_hash', "'hash' || i");
  }
}

async function isThere(client: pg.Client, table: string): Promise<boolean> {
  const { rows } = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [table]);
  return rows[0].there;
}

async function isEmptyTable(client: pg.Client, table: string): Promise<boolean> {
  return (
    (await isThere(client, table)) &&
    (await client.query(`SELECT FROM ${table} LIMIT 1`)).rowCount === 0
  );
}
