import type { Client } from 'pg';
import type { Fragment } from './sample-data.js';
import type { Site } from './site.js';

/** The minimum work: the same queries, and the same rows into an identical table. */
export const bareTable = 'bare.cache_zipcode';

// One transaction; the fragments are already DISTINCT, so only sorting is left.
const bareLoop = `DO $bare$
  DECLARE
    v_item record;
  BEGIN
    FOR v_item IN SELECT hash, query FROM bare.fragments ORDER BY id LOOP
      EXECUTE 'INSERT INTO ${bareTable} (query_hash, partition_keys) SELECT $1, ARRAY(SELECT key FROM ('
        || v_item.query || ') AS fragment (key) ORDER BY key)' USING v_item.hash;
    END LOOP;
  END
$bare$`;

/** Needs the cache table of the site: the bare table is created like it. */
export async function createBareTables(client: Client, site: Site): Promise<void> {
  await client.query(`
    CREATE SCHEMA bare;
    CREATE TABLE ${bareTable} (LIKE ${site.tables.cache} INCLUDING ALL);
    CREATE TABLE bare.fragments (id serial PRIMARY KEY, hash text NOT NULL, query text NOT NULL)`);
}

export async function fillBareFragments(
  client: Client,
  fragments: readonly Fragment[],
): Promise<void> {
  await client.query(`TRUNCATE ${bareTable}, bare.fragments`);
  await client.query(
    'INSERT INTO bare.fragments (hash, query) SELECT * FROM unnest($1::text[], $2::text[])',
    [fragments.map(({ hash }) => hash), fragments.map(({ query }) => query)],
  );
}

/** Returns the milliseconds. */
export async function runBareLoop(client: Client): Promise<number> {
  const start = performance.now();
  await client.query(bareLoop);
  return performance.now() - start;
}
