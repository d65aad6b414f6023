import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import { hasRoutine } from '../database/catalogue.js';
import type { Settings } from '../settings/settings.js';
import { ownName } from './own-names.js';

/*
 * What pg_cron's jobs call in the place of what was rolled back, where pg_cron could not be told. A job that calls
 * what is not there fails once a second.
 */

const SIGNATURES = {
  run_processor: ['p_job_name text, p_slot integer', 'text, integer'],
  run_maintenance: ['', ''],
} as const;

export type Called = keyof typeof SIGNATURES;

/** What jobs call. */
export const CALLED = Object.keys(SIGNATURES) as readonly Called[];

const MARK = 'Stand-in that does nothing.';

/** SQL: whether the row of pg_proc by this alias is a stand-in, and of this owner or a role that it is a member of. */
export function isStandIn(alias: string, role = 'current_user'): string {
  return `(${alias}.prokind = 'p' AND ${alias}.proname IN (${CALLED.map(escapeLiteral).join(', ')})
    AND pg_catalog.starts_with(coalesce(pg_catalog.obj_description(${alias}.oid, 'pg_proc'), ''), ${escapeLiteral(MARK)})
    AND pg_catalog.pg_has_role(${role}, ${alias}.proowner, 'USAGE'))`;
}

/** Those that are in our schema. */
export async function readStandIns(
  work: ClientBase,
  { schema }: Pick<Settings, 'schema'>,
): Promise<Called[]> {
  const { rows } = await work.query<{ proname: Called }>(
    `SELECT p.proname FROM pg_catalog.pg_proc AS p
       JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
      WHERE n.nspname = $1 AND ${isStandIn('p')} ORDER BY 1`,
    [schema],
  );
  return rows.map(({ proname }) => proname);
}

/** Puts one in the place of each of these that is not there; returns those it made. */
async function placeStandIns(
  work: ClientBase,
  settings: Settings,
  called: readonly Called[],
): Promise<Called[]> {
  const placed: Called[] = [];
  for (const name of called) {
    if (await hasRoutine(work, settings.schema, name)) continue;
    await placeStandIn(work, settings, name);
    placed.push(name);
  }
  return placed;
}

async function placeStandIn(work: ClientBase, settings: Settings, name: Called): Promise<void> {
  const [parameters, types] = SIGNATURES[name];
  const procedure = ownName(settings, name);
  const cronRole = escapeIdentifier(settings.cron.user);
  const statements = [
    `CREATE PROCEDURE ${procedure}(${parameters}) LANGUAGE plpgsql
       SET search_path = pg_catalog, pg_temp AS $$BEGIN NULL; END$$`,
    `COMMENT ON PROCEDURE ${procedure} IS ${escapeLiteral(
      `${MARK} The work stream was rolled back while pg_cron could not be reached, whose jobs still call this. pcache-migrate up replaces it; pcache-migrate down --all removes jobs and stand-in.`,
    )}`,
    `REVOKE ALL ON PROCEDURE ${procedure}(${types}) FROM PUBLIC`,
    `GRANT EXECUTE ON PROCEDURE ${procedure}(${types}) TO ${cronRole}`,
    `GRANT USAGE ON SCHEMA ${escapeIdentifier(settings.schema)} TO ${cronRole}`,
  ];
  for (const statement of statements) await work.query(statement);
}

/** Within a transaction: drops them; returns which. */
export async function dropStandIns(work: ClientBase, settings: Settings): Promise<Called[]> {
  const standIns = await readStandIns(work, settings);
  for (const name of standIns) {
    await work.query(`DROP PROCEDURE ${ownName(settings, name)}(${SIGNATURES[name][1]})`);
  }
  return standIns;
}

/** Within a transaction: has `migrate` find none, and puts back those in whose place it makes nothing. */
export async function replacingStandIns<T>(
  work: ClientBase,
  settings: Settings,
  migrate: () => Promise<T>,
): Promise<T> {
  const standIns = await dropStandIns(work, settings);
  const result = await migrate();
  await placeStandIns(work, settings, standIns);
  return result;
}

/** Within a transaction: puts one in the place of whatever jobs call and `migrate` drops; returns those it made. */
export async function leavingStandIns(
  work: ClientBase,
  settings: Settings,
  migrate: () => Promise<unknown>,
): Promise<Called[]> {
  const called: Called[] = [];
  for (const name of CALLED) {
    if (await hasRoutine(work, settings.schema, name)) called.push(name);
  }
  // Made anew, since the last migration takes the right to use the schema away.
  await dropStandIns(work, settings);
  await migrate();
  return placeStandIns(work, settings, called);
}
