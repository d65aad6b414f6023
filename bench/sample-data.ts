import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { partitionKey, type Site } from './site.js';

export const sampleRows = 200_000;

export interface Fragment {
  readonly hash: string;
  readonly query: string;
}

const tinyTable = `
  CREATE TABLE tiny (id integer PRIMARY KEY, zipcode integer NOT NULL);
  INSERT INTO tiny SELECT id, 10000 + id FROM generate_series(1, 100) AS id;
  GRANT SELECT ON tiny TO PUBLIC;`;

const sampleTable = `
  CREATE TABLE pois (
    id        integer PRIMARY KEY,
    zipcode   integer NOT NULL,
    region    integer NOT NULL,
    price     integer NOT NULL,
    category  text NOT NULL,
    name      text NOT NULL,
    opened_at date NOT NULL,
    lat       double precision NOT NULL
  );
  SELECT setseed(0.5);
  INSERT INTO pois
    SELECT id, 10000 + floor(random() * 2000)::integer, 1 + floor(random() * 200)::integer,
           1 + floor(random() * 100)::integer,
           (ARRAY['shop', 'cafe', 'bar', 'museum', 'park'])[1 + floor(random() * 5)::integer],
           'poi ' || id, date '1990-01-01' + floor(random() * 12000)::integer, 47 + random() * 8
    FROM generate_series(1, ${sampleRows}) AS id;
  CREATE INDEX ON pois (region, price);
  GRANT SELECT ON pois TO PUBLIC;
  ${tinyTable}`;

/** The same rows every time: 200 regions of about 1,000 rows, prices from 1 to 100, 2,000 zipcodes. */
export async function createSampleTable(site: Site): Promise<void> {
  await site.admin.query(sampleTable);
  await site.admin.query('VACUUM (ANALYZE) pois, tiny');
}

/** A hundred rows, for fragments whose own time does not matter. */
export async function createTinyTable(site: Site): Promise<void> {
  await site.admin.query(tinyTable);
}

/** About 10 rows by index. */
export const lightFragments = fragmentsOf(
  (i) => `SELECT DISTINCT zipcode FROM pois WHERE region = ${region(i)} AND price = ${1 + step(i)}`,
);

/** About 260 rows by index: what a condition of an application looks like. */
export const sampleFragments = fragmentsOf(
  (i) =>
    `SELECT DISTINCT zipcode FROM pois WHERE region = ${region(i)} AND price BETWEEN ${1 + step(i)} AND ${26 + step(i)}`,
);

/** The same with a table alias, string literals and parentheses, as a client writes them. */
export const literalFragments = fragmentsOf(
  (i) =>
    `${conditions(i)} AND (p1.category IN ('cafe', 'bar', 'museum') OR p1.name = 'O''Neill''s'))`,
);

/** And with what only PostgreSQL's own parser can distinguish. */
export const trickyFragments = fragmentsOf(
  (i) =>
    `${conditions(i)} AND (p1.category IN ('cafe', 'bar', 'museum') OR p1.name = 'O''Neill''s (old; "new") $1 --'))`,
);

function conditions(i: number): string {
  return `SELECT DISTINCT p1.zipcode FROM pois AS p1 WHERE ((p1.region = ${region(i)}) AND (p1.price BETWEEN ${1 + step(i)} AND ${26 + step(i)})`;
}

/** Thousands of rows. */
export const heavyFragments = fragmentsOf(
  (i) =>
    `SELECT DISTINCT zipcode FROM pois WHERE region BETWEEN ${region(i)} AND ${region(i) + 15} AND price > 20 AND lat > ${49 + step(i) / 10}`,
);

/** Like the sample ones, but each also waits for something other than the CPU. */
export const waitingFragments = fragmentsOf(
  (i) =>
    `SELECT DISTINCT zipcode FROM pois, pg_sleep(0.02) WHERE region = ${region(i)} AND price BETWEEN ${1 + step(i)} AND ${26 + step(i)}`,
);

function region(i: number): number {
  return 1 + (i % 200);
}

function step(i: number): number {
  return Math.floor(i / 200);
}

/** Fragments of which each has another text, and so another hash. */
export function fragmentsOf(query: (i: number) => string): (count: number) => Fragment[] {
  return (count) =>
    Array.from({ length: count }, (_, i) => {
      const text = query(i);
      return { query: text, hash: createHash('sha1').update(text).digest('hex') };
    });
}

/** Queues the fragments as a client does. */
export async function enqueue(
  client: Client,
  site: Site,
  fragments: readonly Fragment[],
): Promise<void> {
  const { rows } = await client.query<{ status: string; count: number }>(
    `SELECT status, count(*)::integer FROM non_blocking_fragment_queue_batch_upsert(
       $1::text[], $2::text[], $3::text[], $4::text[], NULL, $5) GROUP BY status`,
    enqueueArguments(site, fragments),
  );
  if (rows.length !== 1 || rows[0]?.status !== 'inserted' || rows[0].count !== fragments.length) {
    throw new Error(`${fragments.length} fragments were not all queued: ${JSON.stringify(rows)}`);
  }
}

export function enqueueArguments(site: Site, fragments: readonly Fragment[]): unknown[] {
  return [
    fragments.map(({ hash }) => hash),
    fragments.map(() => partitionKey),
    fragments.map(() => 'integer'),
    fragments.map(({ query }) => query),
    `${site.settings.queuePrefix}_query_fragment_queue`,
  ];
}
