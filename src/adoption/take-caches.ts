import { type ClientBase, escapeIdentifier } from 'pg';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';
import { keptSchema } from './contract-names.js';
import { dropTable, dropTriggers } from './drop-foreign-code.js';
import type { ForeignCache } from './foreign-setup.js';
import type { TakenTable } from './taken-table.js';

/** Whether the table itself may become ours; else its sets are copied, or evaluated again. */
export function mayStay(
  { isPlain, datatype }: ForeignCache,
  { cacheBackend }: Pick<Settings, 'cacheBackend'>,
): boolean {
  return isPlain && datatype !== undefined && cacheBackend !== 'bit';
}

export async function takeCaches(
  work: ClientBase,
  settings: Settings,
  caches: readonly ForeignCache[],
): Promise<TakenTable[]> {
  const taken: TakenTable[] = [];
  for (const cache of caches) taken.push(await takeCache(work, settings, cache));
  return taken;
}

async function takeCache(
  work: ClientBase,
  settings: Settings,
  cache: ForeignCache,
): Promise<TakenTable> {
  if (mayStay(cache, settings)) {
    if (await becomesOurs(work, settings, cache)) {
      return { table: cache.name, taken: cache.sets ?? 0, queued: 0, kept: undefined };
    }
    await dropTriggers(work, clientName(settings, cache.name));
    await work.query(
      `ALTER TABLE ${clientName(settings, cache.name)} SET SCHEMA ${escapeIdentifier(keptSchema(settings))}`,
    );
  }
  const from = `${escapeIdentifier(keptSchema(settings))}.${escapeIdentifier(cache.name)}`;
  const taken = cache.datatype === undefined ? 0 : await copySets(work, settings, cache, from);
  const queued = await queueAgain(work, settings, cache, from);
  return { table: cache.name, taken, queued, kept: await dropIfEmptied(work, from, cache) };
}

/** False where something about it is not ours, as the processor would find: it would never use the table. */
async function becomesOurs(
  work: ClientBase,
  settings: Settings,
  { name, owner, partitionKey, datatype }: ForeignCache,
): Promise<boolean> {
  const table = clientName(settings, name);
  if (owner !== settings.work.user) {
    await work.query(`ALTER TABLE ${table} OWNER TO ${escapeIdentifier(settings.work.user)}`);
  }
  const { rowCount } = await work.query(
    `SELECT FROM ${ownName(settings, 'foreign_parts')}(ARRAY[$1::regclass::oid])`,
    [table],
  );
  if (rowCount !== 0) return false;
  await work.query(
    `INSERT INTO ${clientName(settings, deploymentTables(settings).partitionMetadata)} (partition_key, datatype)
     VALUES ($1, $2) ON CONFLICT DO NOTHING`,
    [partitionKey, datatype],
  );
  const roles = [settings.cron.user, settings.client.user].map((role) => escapeIdentifier(role));
  await work.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${roles.join(', ')}`);
  return true;
}

/** Of a bit cache only what says "of no use": a set does not show which keys were left out. */
async function copySets(
  work: ClientBase,
  settings: Settings,
  { name, partitionKey, datatype, type, bits }: ForeignCache,
  from: string,
): Promise<number> {
  await work.query(`SELECT ${ownName(settings, 'bootstrap_partition')}($1, $2, $3, $4)`, [
    partitionKey,
    datatype,
    bits ?? null,
    type === 'bigint[]',
  ]);
  const { rows } = await work.query<{ sets: string }>(
    `WITH moved AS (
       DELETE FROM ONLY ${from} WHERE ${bits === undefined} OR partition_keys IS NULL
       RETURNING query_hash, partition_keys
     ), inserted AS (
       INSERT INTO ${clientName(settings, name)} (query_hash, partition_keys) SELECT * FROM moved
       RETURNING partition_keys
     )
     SELECT count(partition_keys) AS sets FROM inserted`,
  );
  return Number(rows[0]?.sets);
}

/** After everything else that is queued; its status stays, and counts for nothing while there is no set. */
async function queueAgain(
  work: ClientBase,
  settings: Settings,
  { partitionKey, datatype }: ForeignCache,
  from: string,
): Promise<number> {
  const { fragmentQueue, queries, partitionMetadata } = deploymentTables(settings);
  const { rows } = await work.query<{ queued: string }>(
    `WITH known AS (
       DELETE FROM ONLY ${from} AS old USING ${clientName(settings, queries)} AS known
        WHERE known.query_hash = old.query_hash AND known.partition_key = $1
       RETURNING known.query, known.query_hash
     ), queued AS (
       INSERT INTO ${clientName(settings, fragmentQueue)}
         (query, hash, partition_key, partition_datatype, priority)
       SELECT query, query_hash, $1, coalesce($2, (
                SELECT datatype FROM ${clientName(settings, partitionMetadata)} WHERE partition_key = $1)), 0
         FROM known ORDER BY query_hash
       ON CONFLICT DO NOTHING
     )
     SELECT count(*) AS queued FROM known`,
    [partitionKey, datatype],
  );
  return Number(rows[0]?.queued);
}

async function dropIfEmptied(
  work: ClientBase,
  table: string,
  { datatype, type }: ForeignCache,
): Promise<string | undefined> {
  const { rowCount } = await work.query(`SELECT FROM ONLY ${table} LIMIT 1`);
  if (rowCount !== 0) {
    return `${table}: sets whose query is not known${datatype === undefined ? ` (${type})` : ''}`;
  }
  return dropTable(work, table);
}
