import { writeFile } from 'node:fs/promises';
import type pg from 'pg';
import { expect, it } from 'vitest';
import { placeholderValues } from '../../src/deployment/placeholder-values.js';
import { streamSites } from '../../src/deployment/stream-sites.js';
import type { Direction } from '../../src/migrations/migration-error.js';
import { type Migration, readMigrations } from '../../src/migrations/read-migrations.js';
import type { PlaceholderValues } from '../../src/migrations/render-sql.js';
import { type StreamName, streams } from '../../src/migrations/streams.js';
import { LOCK_MODES, type LockMode, strongest } from '../../src/plan/lock-modes.js';
import { locksFile, type MeasuredLocks, readLocks } from '../../src/plan/measured-locks.js';
import { templateOf } from '../../src/plan/relation-template.js';
import { connectAs, createSite } from '../harness/deployment.js';
import { populate } from '../harness/populate.js';

// What a plan says of a migration's locks was measured here, on tables that hold rows, and lies beside the migration.
// After changing the migrations, run: npm run locks

/** By migration, direction and relation; a migration may do other things for other backends. */
type Measurement = Map<string, Record<Direction, Map<string, Set<LockMode>>>>;

it('the committed locks are those that each migration takes on what was there before it', async () => {
  for (const stream of ['work', 'cron'] as const) {
    const measured: Measurement = new Map();
    let migrations: readonly Migration[] = [];
    for (const backend of ['array', 'bit'] as const) {
      migrations = await measureBackend(stream, backend, measured);
    }
    for (const migration of migrations) {
      const locks = sorted(measured, migration.name);
      if (process.env.PCACHE_WRITE_LOCKS === '1') {
        await writeFile(locksFile(migration), asText(locks));
      }
      expect({ [migration.name]: readLocks(migration) }).toEqual({ [migration.name]: locks });
    }
  }
});

async function measureBackend(
  stream: StreamName,
  backend: 'array' | 'bit',
  measured: Measurement,
): Promise<readonly Migration[]> {
  const site = await createSite();
  const settings = site.settings({
    CACHE_BACKEND: `postgresql_${backend}`,
    PG_ARRAY_CACHE_TABLE_PREFIX: 'my_cache',
    PG_BIT_CACHE_TABLE_PREFIX: 'my_cache',
  });
  const values = placeholderValues(settings);
  const migrations = await readMigrations(streams[stream].directory, values);
  const { connection, schema } = streamSites(settings)[stream];
  const client = await connectAs(connection);
  await client.query("SELECT set_config('search_path', 'pg_catalog, pg_temp', false)");
  await client.query(`CREATE SCHEMA ${schema}`);
  const run = async (migration: Migration, direction: Direction) => {
    if (stream === 'work') await populate(client, settings);
    if (!migration[direction].inTransaction) {
      throw new Error(
        `${migration.name}: locks are measured in a transaction, and it runs in none.`,
      );
    }
    const locks = await locksOf(client, migration, direction, values);
    const found = measured.get(migration.name) ?? { up: new Map(), down: new Map() };
    for (const [relation, modes] of locks) {
      found[direction].set(
        relation,
        new Set([...(found[direction].get(relation) ?? []), ...modes]),
      );
    }
    measured.set(migration.name, found);
  };
  for (const migration of migrations) await run(migration, 'up');
  for (const migration of migrations.toReversed()) await run(migration, 'down');
  await client.query(`DROP SCHEMA ${schema}`);
  await client.end();
  return migrations;
}

/** Runs a migration in a transaction of its own, and reads after each statement what it holds. */
async function locksOf(
  client: pg.Client,
  migration: Migration,
  direction: Direction,
  values: PlaceholderValues,
): Promise<Map<string, Set<LockMode>>> {
  const before = await relations(client);
  const held = new Map<string, Set<LockMode>>();
  await client.query('BEGIN');
  for (const { text } of migration[direction].statements) {
    await client.query(text);
    const { rows } = await client.query<{ relation: string; mode: LockMode }>(
      `SELECT DISTINCT relation::text, mode FROM pg_locks
        WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted AND mode = ANY ($1)
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [LOCK_MODES],
    );
    for (const { relation, mode } of rows) {
      const found = before.get(relation);
      const template = found && templateOf(found, values);
      if (template === undefined) continue;
      held.set(template, (held.get(template) ?? new Set()).add(mode));
    }
  }
  await client.query('COMMIT');
  return held;
}

/** Tables and views; what an index or a sequence is locked for, its table is locked for too. */
async function relations(
  client: pg.Client,
): Promise<Map<string, { schema: string; name: string }>> {
  const { rows } = await client.query<{ oid: string; schema: string; name: string }>(
    `SELECT c.oid::text, nspname AS schema, relname AS name
       FROM pg_class AS c JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname NOT IN ('pg_catalog', 'information_schema')`,
  );
  return new Map(rows.map(({ oid, schema, name }) => [oid, { schema, name }]));
}

function sorted(measured: Measurement, name: string): MeasuredLocks {
  const of = (direction: Direction) =>
    Object.fromEntries(
      [...(measured.get(name)?.[direction] ?? [])]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([relation, modes]) => [relation, strongest(modes)]),
    );
  return { up: of('up'), down: of('down') };
}

/** As the formatter has it: a relation a line. */
function asText(locks: MeasuredLocks): string {
  const json = JSON.stringify(locks, undefined, 2);
  const modesInLine = (list: string) => list.replaceAll(/\s*\n\s*/g, '').replaceAll(',', ', ');
  return `${json.replaceAll(/\[[^\]]*\]/g, modesInLine)}\n`;
}
