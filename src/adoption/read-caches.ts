import type { ClientBase } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { CacheBackend, Settings } from '../settings/settings.js';
import type { ForeignCache, ForeignTable } from './foreign-setup.js';
import { DELETES_QUIETLY, ofExtension, WHY_NOT_DELETED_QUIETLY } from './reads-quietly.js';

interface Row {
  readonly name: string;
  readonly owner: string;
  readonly is_ours: boolean;
  readonly readable: boolean;
  readonly is_usable: boolean;
  readonly is_plain: boolean;
  readonly type: string;
  readonly bits: number | null;
}

const QUERY = `
  SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
         pg_has_role($3::name, c.relowner, 'USAGE') AS is_ours,
         has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
         ${DELETES_QUIETLY}
           -- Its own casts would run where its values are copied.
           AND NOT EXISTS (
             SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND t.typnamespace <> 'pg_catalog'::regnamespace
                AND NOT ${ofExtension("'pg_type'::regclass", 't.oid')}) AS is_usable,
         NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid)
           AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)
           -- Whoever writes a set would run what computes or checks its columns.
           AND NOT EXISTS (
             SELECT FROM pg_depend AS d
              WHERE (d.classid, d.objid) IN (
                      SELECT 'pg_attrdef'::regclass::oid, oid FROM pg_attrdef WHERE adrelid = c.oid
                      UNION ALL
                      SELECT 'pg_constraint'::regclass::oid, oid FROM pg_constraint WHERE conrelid = c.oid)
                AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
                AND NOT ${ofExtension('d.refclassid', 'd.refobjid')})
           AND ARRAY(SELECT format('%s %s', attname, attgenerated) FROM pg_attribute
                      WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY 1)
               = '{"partition_keys ",partition_keys_count s,"query_hash "}'
           AND ARRAY(SELECT attname::text FROM pg_index JOIN pg_attribute
                         ON attrelid = indrelid AND attnum = ANY (indkey)
                      WHERE indrelid = c.oid AND indisprimary) = '{query_hash}' AS is_plain,
         format_type(keys.atttypid, NULL) AS type,
         CASE WHEN keys.atttypid = 'bit'::regtype THEN keys.atttypmod END AS bits
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS hash ON hash.attrelid = c.oid AND hash.attname = 'query_hash'
     AND hash.atttypid = 'text'::regtype
    JOIN pg_attribute AS keys ON keys.attrelid = c.oid AND keys.attname = 'partition_keys'
     AND NOT keys.attisdropped
   WHERE n.nspname = $1 AND starts_with(c.relname, $2) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   ORDER BY c.relname`;

/** The tables that hold sets, also those that the metadata does not know. */
export async function readForeignCaches(
  client: ClientBase,
  settings: Settings,
  tables: readonly ForeignTable[],
): Promise<ForeignCache[]> {
  const prefix = `${settings.tablePrefix}_cache_`;
  const { rows } = await client.query<Row>(QUERY, [
    settings.clientSchema,
    prefix,
    settings.work.user,
  ]);
  const known = await datatypes(client, settings, tables);
  const caches: ForeignCache[] = [];
  for (const row of rows) {
    const partitionKey = row.name.slice(prefix.length);
    const counts =
      row.readable && row.is_usable
        ? await countSets(client, settings, row.name, partitionKey, tables)
        : { sets: null, withoutQuery: null };
    caches.push({
      name: row.name,
      partitionKey,
      owner: row.owner,
      isOurs: row.is_ours,
      type: row.bits === null ? row.type : `bit(${row.bits})`,
      datatype: datatypeOf(settings.cacheBackend, row.type, known.get(partitionKey)),
      bits: row.bits ?? undefined,
      unusable: row.is_usable ? undefined : WHY_NOT_DELETED_QUIETLY,
      isPlain: row.is_plain,
      ...counts,
    });
  }
  return caches;
}

const ARRAYS: Readonly<Record<string, string>> = {
  'integer[]': 'integer',
  'bigint[]': 'integer',
  'numeric[]': 'float',
  'text[]': 'text',
  'timestamp without time zone[]': 'timestamp',
};

/** Undefined where the cache of this backend cannot have the keys as they are. */
export function datatypeOf(
  backend: CacheBackend,
  type: string,
  known: string | undefined,
): string | undefined {
  const held =
    backend === 'array'
      ? ARRAYS[type]
      : (backend === 'bit' ? type === 'bit' : /(^|\.)roaringbitmap$/.test(type))
        ? 'integer'
        : undefined;
  return known === undefined || known === held ? held : undefined;
}

async function datatypes(
  client: ClientBase,
  settings: Settings,
  tables: readonly ForeignTable[],
): Promise<ReadonlyMap<string, string>> {
  if (!isReadable(tables, 'partitionMetadata')) return new Map();
  const { rows } = await client.query<{ partition_key: string; datatype: string }>(
    `SELECT partition_key, datatype
       FROM ONLY ${clientName(settings, deploymentTables(settings).partitionMetadata)}`,
  );
  return new Map(rows.map(({ partition_key, datatype }) => [partition_key, datatype]));
}

async function countSets(
  client: ClientBase,
  settings: Settings,
  name: string,
  partitionKey: string,
  tables: readonly ForeignTable[],
): Promise<Pick<ForeignCache, 'sets' | 'withoutQuery'>> {
  const isKnown = isReadable(tables, 'queries')
    ? `EXISTS (SELECT FROM ONLY ${clientName(settings, deploymentTables(settings).queries)} AS known
                WHERE known.query_hash = cache.query_hash AND known.partition_key = $1)`
    : '$1::text IS NULL';
  const { rows } = await client.query<{ sets: string; without: string }>(
    `SELECT count(cache.partition_keys) AS sets,
            count(cache.partition_keys) FILTER (WHERE NOT ${isKnown}) AS without
       FROM ONLY ${clientName(settings, name)} AS cache`,
    [partitionKey],
  );
  return { sets: Number(rows[0]?.sets), withoutQuery: Number(rows[0]?.without) };
}

function isReadable(tables: readonly ForeignTable[], role: ForeignTable['role']): boolean {
  return tables.some((table) => table.role === role && table.rows !== null);
}
