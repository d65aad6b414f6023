import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import { hasRelation, hasSchema } from '../database/catalogue.js';
import { readCacheTables } from '../deployment/cache-tables.js';
import { KEPT_RECORD, type KeptTable, keptName, readKept } from '../deployment/kept-tables.js';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { holdOwnTables } from '../deployment/with-own-tables.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import { whoElseMadeIt } from '../migrations/who-else-made-it.js';
import { withoutDefaultPrivileges } from '../migrations/without-default-privileges.js';
import { keptSchemaName } from '../settings/kept-schema.js';
import type { Settings } from '../settings/settings.js';
import {
  type DroppedTables,
  existingTables,
  ownDataAtStake,
  type TableAtStake,
} from './data-at-stake.js';
import { type TableGrant, takeGrantsAway } from './kept-grants.js';

/** There is no place where tables could be kept; nothing was changed. */
export class NoRoomForKeptError extends PcacheError {
  override readonly name = 'NoRoomForKeptError';

  constructor(why: string, remedy: string) {
    super(
      `Tables that hold rows cannot be kept: ${why}. Nothing was changed, and nothing is lost.`,
      { remedy: `${remedy} Or drop them with their rows: pcache-migrate down --drop-data` },
    );
  }
}

/** Raises NoRoomForKeptError unless tables of these names can be put into the schema of what is kept. */
export async function requireRoomForKept(
  work: ClientBase,
  settings: Settings,
  names: readonly string[],
): Promise<void> {
  const schema = keptSchemaName(settings.schema);
  if (!(await hasSchema(work, schema))) return requireMayCreate(work, settings);
  const strangers = await whoElseMadeIt(work, schema, [KEPT_RECORD]);
  if (strangers.length > 0) {
    throw new NoRoomForKeptError(
      `in the schema ${escapeIdentifier(schema)}, others could read or change them: ${strangers.map(shown).join('; ')}`,
      'Have its owner drop or rename it.',
    );
  }
  const kept = await readKept(work, settings);
  for (const name of names) {
    if (!(await hasRelation(work, schema, name))) continue;
    const found = kept.find(({ table }) => table === name);
    throw new NoRoomForKeptError(
      `a table ${shown(keptName(settings, name))} is there already${found ? `, kept with ${found.rows} rows since ${found.since.toISOString()}` : ''}, and is not replaced`,
      `Drop it, if nobody needs those rows (DROP TABLE ${shown(keptName(settings, name))};), or move it to another schema (ALTER TABLE … SET SCHEMA …), then go down again.`,
    );
  }
}

async function requireMayCreate(work: ClientBase, { schema, work: { database, user } }: Settings) {
  const { rows } = await work.query<{ may: boolean }>(
    "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS may",
  );
  if (rows[0]?.may) return;
  throw new NoRoomForKeptError(
    `role "${user}" may not create the schema ${escapeIdentifier(keptSchemaName(schema))} in database "${database}"`,
    `As the owner of the database: GRANT CREATE ON DATABASE ${escapeIdentifier(database)} TO ${escapeIdentifier(user)};`,
  );
}

/**
 * Within the transaction that is about to drop these tables: puts those that hold rows aside. They are copied, so that
 * whatever hangs on them can be dropped; the cache tables, which may be huge, are moved. Returns them.
 */
export async function keepData(
  work: ClientBase,
  settings: Settings,
  { clients, own }: DroppedTables,
  releases: readonly number[],
): Promise<TableAtStake[]> {
  const { partitionMetadata } = deploymentTables(settings);
  const tables = await existingTables(work, settings, clients);
  await holdOwnTables(work, settings, 'rewrite', tables);
  const caches = tables.includes(partitionMetadata)
    ? (await readCacheTables(work, settings)).own
    : [];
  await holdOwnTables(work, settings, 'rewrite', caches);

  const copies: Copy[] = [];
  for (const table of tables) {
    const from = clientName(settings, table);
    if (await hasRows(work, from)) copies.push({ table, from, where: 'true' });
  }
  for (const { table, rows, worth } of await ownDataAtStake(work, settings, own)) {
    if (rows > 0) copies.push({ table, from: ownName(settings, table), where: worth });
  }
  if (copies.length + caches.length === 0) return [];
  await requireRoomForKept(work, settings, [...copies.map(({ table }) => table), ...caches]);
  return withoutDefaultPrivileges(work, async () => {
    await provideRoom(work, settings);
    const kept: Kept[] = [];
    for (const copy of copies) kept.push(await copyAside(work, settings, copy, releases));
    for (const table of caches) kept.push(await moveAside(work, settings, table));
    await record(work, settings, kept, releases);
    await describe(work, settings);
    return kept.map(({ table, rows }) => ({ table, rows }));
  });
}

/** A table that is in the schema of what is kept now. */
interface Kept extends TableAtStake {
  readonly grants: readonly TableGrant[];
}

interface Copy {
  readonly table: string;
  readonly from: string;
  /** SQL: which rows. */
  readonly where: string;
}

async function hasRows(work: ClientBase, table: string): Promise<boolean> {
  return (await work.query(`SELECT FROM ${table} LIMIT 1`)).rowCount === 1;
}

async function provideRoom(work: ClientBase, settings: Settings): Promise<void> {
  const schema = keptSchemaName(settings.schema);
  if (!(await hasSchema(work, schema))) {
    await work.query(`CREATE SCHEMA ${escapeIdentifier(schema)}`);
  }
  const table = keptName(settings, KEPT_RECORD);
  if (!(await hasRelation(work, schema, KEPT_RECORD))) {
    await work.query(
      `CREATE TABLE ${table} (
         name text PRIMARY KEY, rows bigint NOT NULL, kept_at timestamptz NOT NULL DEFAULT now(),
         releases integer[] NOT NULL, cache_backend text NOT NULL, grants jsonb NOT NULL)`,
    );
    await work.query(
      `COMMENT ON TABLE ${table} IS 'What the other tables of this schema are: written by pcache-migrate down.'`,
    );
  }
}

async function copyAside(
  work: ClientBase,
  settings: Settings,
  { table, from, where }: Copy,
  releases: readonly number[],
): Promise<Kept> {
  const copy = keptName(settings, table);
  const { rowCount } = await work.query(
    `CREATE TABLE ${copy} AS SELECT * FROM ${from} WHERE ${where}`,
  );
  await work.query(
    `COMMENT ON TABLE ${copy} IS ${escapeLiteral(
      `The rows of table ${from}, kept by pcache-migrate down, which undid ${inWords(releases)}. The next pcache-migrate up takes them back. If nobody needs them: DROP TABLE ${copy};`,
    )}`,
  );
  return { table, rows: rowCount ?? 0, grants: [] };
}

async function moveAside(work: ClientBase, settings: Settings, table: string): Promise<Kept> {
  const grants = await takeGrantsAway(work, clientName(settings, table));
  await work.query(
    `ALTER TABLE ${clientName(settings, table)} SET SCHEMA ${escapeIdentifier(keptSchemaName(settings.schema))}`,
  );
  const { rows } = await work.query<{ rows: string }>(
    `SELECT count(*) AS rows FROM ${keptName(settings, table)}`,
  );
  return { table, rows: Number(rows[0]?.rows), grants };
}

async function record(
  work: ClientBase,
  settings: Settings,
  kept: readonly Kept[],
  releases: readonly number[],
): Promise<void> {
  await work.query(
    `INSERT INTO ${keptName(settings, KEPT_RECORD)} AS kept_table (name, rows, releases, cache_backend, grants)
     SELECT "table", rows, $2, $3, grants
       FROM pg_catalog.jsonb_to_recordset($1::jsonb) AS kept ("table" text, rows bigint, grants jsonb)
     ON CONFLICT (name) DO UPDATE
       SET rows = excluded.rows, releases = excluded.releases, cache_backend = excluded.cache_backend,
           kept_at = excluded.kept_at, grants = excluded.grants`,
    [JSON.stringify(kept), releases, settings.cacheBackend],
  );
}

async function describe(work: ClientBase, settings: Settings): Promise<void> {
  const kept: readonly KeptTable[] = await readKept(work, settings);
  const since = kept.map((table) => table.since.toISOString()).sort()[0];
  const releases = [...new Set(kept.flatMap((table) => table.releases))].sort((a, b) => a - b);
  const schema = escapeIdentifier(keptSchemaName(settings.schema));
  await work.query(
    `COMMENT ON SCHEMA ${schema} IS ${escapeLiteral(
      `Tables that pcache-migrate down has kept with their rows since ${since}, when it undid ${inWords(releases)} of the deployment in schema ${escapeIdentifier(settings.schema)}. The next pcache-migrate up takes back what fits. If nobody needs them: DROP SCHEMA ${schema} CASCADE;`,
    )}`,
  );
}

function inWords(releases: readonly number[]): string {
  return `${releases.length === 1 ? 'release' : 'releases'} ${releases.join(', ')}`;
}
