import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation, hasSchema } from '../database/catalogue.js';
import { pasteable } from '../errors/shown.js';
import { whoElseMayWrite } from '../migrations/who-else-may-write.js';
import type { Settings } from '../settings/settings.js';
import { plainName } from '../text/plain-name.js';
import { deploymentTables } from './placeholder-values.js';

/** By these a schema of ours is known. */
const TABLES: readonly string[] = ['deployment', 'ledger', 'recorded_object'];

/** Where a deployment is, of which our schema is gone and the clients' tables are left. */
export interface LostDeployment {
  readonly kind: 'renamed' | 'dropped';
  readonly what: string;
  readonly remedy: string;
}

/** Undefined where our schema is there, or no table of the clients' is that could be of a deployment of ours. */
export async function findLostDeployment(
  work: ClientBase,
  settings: Settings,
): Promise<LostDeployment | undefined> {
  const { schema, clientSchema } = settings;
  for (const table of TABLES) {
    if (await hasRelation(work, schema, table)) return undefined;
  }
  const left = await tablesLeft(work, settings);
  if (left.length === 0) return undefined;
  const others = await neighbours(work, settings);
  const now = others.find(({ isRenamed }) => isRenamed)?.schema;
  if (now !== undefined && !(await hasSchema(work, schema))) {
    return {
      kind: 'renamed',
      what: `what was deployed in schema "${schema}" is in schema "${now}" now: it was renamed`,
      remedy: `As the owner of that schema, in database "${settings.work.database}": ${pasteable(`ALTER SCHEMA ${escapeIdentifier(now)} RENAME TO ${escapeIdentifier(schema)};`)}`,
    };
  }
  // Those are the tables of another deployment.
  if (others.some(({ hasTables }) => hasTables)) return undefined;
  return {
    kind: 'dropped',
    what: `schema "${clientSchema}" has the clients' tables (${left.map(plainName).join(', ')}), and schema "${schema}" nothing that belongs to them`,
    remedy:
      'Deploy it again and take the tables over, with all their rows: pcache-migrate adopt. What it will do, pcache-migrate adopt --dry-run shows.',
  };
}

async function tablesLeft(work: ClientBase, settings: Settings): Promise<string[]> {
  const { rows } = await work.query<{ name: string }>(
    `SELECT c.relname::text AS name
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p') ORDER BY 1`,
    [settings.clientSchema, Object.values(deploymentTables(settings))],
  );
  return rows.map(({ name }) => name);
}

/** A schema of this package's beside ours. */
interface Neighbour {
  readonly schema: string;
  /** Whether its record says that it was called as ours is. */
  readonly isRenamed: boolean;
  /** Whether the tables are its own, or may be. */
  readonly hasTables: boolean;
}

async function neighbours(work: ClientBase, settings: Settings): Promise<Neighbour[]> {
  const { rows } = await work.query<{ schema: string; readable: boolean }>(
    `SELECT n.nspname::text AS schema,
            pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              AND pg_catalog.bool_and(pg_catalog.has_table_privilege(c.oid, 'SELECT')) AS readable
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE c.relname = ANY ($1) AND n.nspname <> $3
      GROUP BY n.oid, n.nspname HAVING pg_catalog.count(*) = $2 ORDER BY 1`,
    [TABLES, TABLES.length, settings.schema],
  );
  const found: Neighbour[] = [];
  for (const { schema, readable } of rows) {
    // What others may have written is not read.
    const isOurs =
      readable && (await whoElseMayWrite(work, schema, TABLES, settings.work.user)).length === 0;
    found.push(
      isOurs ? await read(work, settings, schema) : { schema, isRenamed: false, hasTables: true },
    );
  }
  return found;
}

async function read(work: ClientBase, settings: Settings, schema: string): Promise<Neighbour> {
  const own = escapeIdentifier(schema);
  // As JSON, since columns may have been renamed, too.
  const { rows } = await work.query<{ was: string | null; has_tables: boolean }>(
    `SELECT (SELECT pg_catalog.to_jsonb(r) ->> 'identity' FROM ${own}.recorded_object AS r
              WHERE pg_catalog.to_jsonb(r) ->> 'kind' = 'schema') AS was,
            EXISTS (SELECT FROM ${own}.deployment AS d
                     WHERE pg_catalog.to_jsonb(d) ->> 'client_schema' = $1
                       AND (pg_catalog.to_jsonb(d) ->> 'queue_prefix' = $2
                            OR pg_catalog.to_jsonb(d) ->> 'table_prefix' = $3)) AS has_tables`,
    [settings.clientSchema, settings.queuePrefix, settings.tablePrefix],
  );
  return {
    schema,
    isRenamed: rows[0]?.was === plainName(settings.schema),
    hasTables: rows[0]?.has_tables === true,
  };
}
