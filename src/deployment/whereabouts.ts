import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { isServersRefusal } from '../database/database-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { remedyOf } from '../database/remedy-of.js';
import { whoElseMadeIt } from '../migrations/who-else-made-it.js';
import type { Settings } from '../settings/settings.js';
import { findLostOwners } from './restored-owners.js';

/** What the deployment recorded of the database that it was made in. */
export interface Origin {
  readonly database: string;
  readonly oid: number;
  /** Undefined where the platform hides it. */
  readonly system: string | undefined;
  /** The schema of the pg_cron database that has its jobs. */
  readonly cronSchema: string;
  /** The pg_cron database; undefined where no jobs were scheduled. */
  readonly cronDatabase: string | undefined;
}

/**
 * Whether the connected database is the one that was deployed. `original` is what the deployed one is called now, or
 * the one that has its name now.
 */
export type Whereabouts =
  | { readonly kind: 'not deployed' }
  /** It is, as far as can be told. */
  | { readonly kind: 'same'; readonly origin: Origin }
  /** It is, under another name. */
  | { readonly kind: 'renamed'; readonly origin: Origin; readonly original?: string }
  /** The one that was deployed, or one of its name, is there as well. */
  | { readonly kind: 'copied'; readonly origin: Origin; readonly original: string }
  /** From a dump, in the place of the one that was deployed, which is gone. */
  | { readonly kind: 'restored'; readonly origin: Origin }
  /** To another cluster; what became of the original cannot be seen from here. */
  | { readonly kind: 'on another server'; readonly origin: Origin }
  | {
      readonly kind: 'unknown';
      readonly reason: string;
      readonly remedy: string;
      readonly origin?: undefined;
    };

/** What has to be adopted. */
export type Moved = Exclude<Whereabouts, { kind: 'not deployed' | 'same' | 'unknown' }>;

export function isMoved(found: Whereabouts): found is Moved {
  return found.kind !== 'not deployed' && found.kind !== 'same' && found.kind !== 'unknown';
}

const REMEDY =
  'Run pcache-migrate doctor and pcache-migrate verify: they say what is wrong there, and what mends it.';
const PUT_BACK = 'Put back what was changed there by hand: pcache-migrate verify --fix';

/** Compares the record with the database and its cluster. The one place that does. Changes nothing. */
export async function readWhereabouts(work: ClientBase, settings: Settings): Promise<Whereabouts> {
  const { schema } = settings;
  if (!(await hasRelation(work, schema, 'deployment'))) return { kind: 'not deployed' };
  // To read what others made would run their code.
  const others = await whoElseMadeIt(work, schema, ['deployment'], settings.work.user);
  if (others.length > 0) {
    return { kind: 'unknown', reason: others.join('; '), remedy: REMEDY };
  }
  const lost = await findLostOwners(work, settings);
  if (lost !== undefined) return { kind: 'unknown', reason: lost.what, remedy: lost.remedy };
  try {
    return await compared(work, schema);
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    return { kind: 'unknown', reason: describeRefusal(error), remedy: remedyOf(error) ?? REMEDY };
  }
}

interface Row {
  readonly work_database: string | null;
  readonly database_oid: number | null;
  readonly system_identifier: string | null;
  readonly cron_schema: string;
  readonly cron_database: string | null;
  readonly pg_cron_version: string | null;
  readonly name: string;
  readonly oid: number;
  /** What has the deployed database's oid, and what has its name, apart from this one. */
  readonly with_oid: string | null;
  readonly with_name: string | null;
}

async function compared(work: ClientBase, schema: string): Promise<Whereabouts> {
  // As JSON, since an earlier step of a rollback may have left fewer columns.
  const { rows } = await work.query<{ row: Row }>(
    `WITH recorded AS (
       SELECT r.* FROM ${escapeIdentifier(schema)}.deployment AS d
        CROSS JOIN LATERAL pg_catalog.jsonb_to_record(pg_catalog.to_jsonb(d)) AS r (
          work_database text, database_oid bigint, system_identifier text, cron_schema text, cron_database text,
          pg_cron_version text)
     ),
     here AS (
       SELECT datname AS name, oid FROM pg_catalog.pg_database
        WHERE datname = pg_catalog.current_database()
     )
     SELECT pg_catalog.to_jsonb(f) AS row FROM (
       SELECT recorded.*, here.name, here.oid::bigint AS oid,
              (SELECT datname FROM pg_catalog.pg_database AS d
                WHERE d.oid = recorded.database_oid::oid AND d.oid <> here.oid) AS with_oid,
              (SELECT datname FROM pg_catalog.pg_database AS d
                WHERE d.datname = recorded.work_database AND d.oid <> here.oid) AS with_name
         FROM recorded, here) AS f`,
  );
  const row = rows[0]?.row;
  if (row === undefined) {
    return { kind: 'unknown', reason: `${schema}.deployment has no row`, remedy: PUT_BACK };
  }
  const { database_oid: oid, work_database: database } = row;
  if (oid === null || database === null) {
    return {
      kind: 'unknown',
      reason: `${schema}.deployment does not say in which database it was made`,
      remedy: PUT_BACK,
    };
  }
  return judged({ ...row, work_database: database }, oid, await readSystemIdentifier(work));
}

function judged(
  row: Row & { readonly work_database: string },
  oid: number,
  system: string | undefined,
): Whereabouts {
  const origin: Origin = {
    database: row.work_database,
    oid,
    system: row.system_identifier ?? undefined,
    cronSchema: row.cron_schema,
    // Once the cron stream is rolled back, the record still has where it was.
    cronDatabase: row.pg_cron_version === null ? undefined : (row.cron_database ?? undefined),
  };
  // Where either is hidden, the name and oid have to do.
  if (origin.system !== undefined && system !== undefined && origin.system !== system) {
    return { kind: 'on another server', origin };
  }
  const named = row.with_name ?? undefined;
  if (row.oid === oid) {
    return row.name === row.work_database
      ? { kind: 'same', origin }
      : { kind: 'renamed', origin, ...(named !== undefined && { original: named }) };
  }
  const original = row.with_oid ?? named;
  return original === undefined
    ? { kind: 'restored', origin }
    : { kind: 'copied', origin, original };
}

/** What tells this cluster from every other; undefined where the platform hides it. */
export async function readSystemIdentifier(client: ClientBase): Promise<string | undefined> {
  const { rows: rights } = await client.query<{ visible: boolean }>(
    "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS visible",
  );
  if (rights[0]?.visible !== true) return undefined;
  const { rows } = await client.query<{ system: string }>(
    'SELECT system_identifier::text AS system FROM pg_catalog.pg_control_system()',
  );
  return rows[0]?.system;
}
