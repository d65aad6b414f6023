import type { Client } from 'pg';
import type { Fragment } from './sample-data.js';
import { partitionKey, runSqlFiles } from './site.js';

/** The alternative's tables and functions, in a schema `alternative`. */
export async function createAlternative(client: Client): Promise<void> {
  await runSqlFiles(client, 'alternative');
}

export async function fillAlternative(
  client: Client,
  fragments: readonly Fragment[],
): Promise<void> {
  await client.query(
    `TRUNCATE alternative.fragment_queue, alternative.queries, alternative.processor_log, alternative.cache_zipcode`,
  );
  await client.query(
    `INSERT INTO alternative.fragment_queue (hash, query, partition_key, partition_datatype)
     SELECT hash, query, $3, 'integer' FROM unnest($1::text[], $2::text[]) AS item (hash, query)`,
    [fragments.map(({ hash }) => hash), fragments.map(({ query }) => query), partitionKey],
  );
}

/** Processes this many items in one statement; returns the milliseconds. */
export async function runAlternative(client: Client, count: number): Promise<number> {
  const start = performance.now();
  const { rows } = await client.query('SELECT alternative.process_many($1) AS done', [count]);
  const ms = performance.now() - start;
  if (rows[0].done !== count) {
    throw new Error(`the alternative found ${rows[0].done} of ${count} items`);
  }
  return ms;
}
