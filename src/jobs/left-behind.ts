import { type ClientBase, escapeIdentifier } from 'pg';
import { hasRelation } from '../database/catalogue.js';
import { callsHere, callsWork, SCHEMA_NAME } from './own-commands.js';

/** A deployment's schema in the pg_cron database, as its own record says. */
export interface CronSide {
  readonly schema: string;
  readonly workDatabase: string;
  readonly workSchema: string;
  /** What the database with its work database's oid is called now; undefined if there is none. */
  readonly nameNow: string | undefined;
  /** Whether a database has its work database's name. */
  readonly nameInUse: boolean;
}

export interface OwnJob {
  readonly jobId: number;
  readonly jobName: string;
  readonly database: string;
  readonly command: string;
}

/** The cron sides that the connected role owns, and the names of those that others do, which it may not read. */
export async function readCronSides(
  cron: ClientBase,
): Promise<{ readonly own: CronSide[]; readonly others: string[] }> {
  const { rows } = await cron.query<{ schema: string; own: boolean }>(
    `SELECT nspname AS schema, nspowner = relowner AND relowner = me.oid AS own
       FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
       JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid AND attname = 'work_schema'
       JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
      WHERE relname = 'deployment' AND relkind = 'r' AND NOT relrowsecurity AND NOT relhassubclass
      ORDER BY nspname`,
  );
  const own: CronSide[] = [];
  for (const { schema } of rows.filter((row) => row.own))
    own.push(...(await readSide(cron, schema)));
  return { own, others: rows.filter((row) => !row.own).map(({ schema }) => schema) };
}

async function readSide(cron: ClientBase, schema: string): Promise<CronSide[]> {
  const { rows } = await cron.query<{
    work_database: string;
    work_schema: string;
    name_now: string | null;
    in_use: boolean;
  }>(
    `SELECT work_database, work_schema, datname AS name_now,
            EXISTS (SELECT FROM pg_catalog.pg_database AS named WHERE named.datname = work_database) AS in_use
       FROM ${escapeIdentifier(schema)}.deployment
       LEFT JOIN pg_catalog.pg_database ON pg_database.oid = work_database_oid`,
  );
  return rows.map((row) => ({
    schema,
    workDatabase: row.work_database,
    workSchema: row.work_schema,
    nameNow: row.name_now ?? undefined,
    nameInUse: row.in_use,
  }));
}

/** What a deployment of ours has pg_cron run in its work database, whatever its schema there is called. */
const OURS = `^CALL ${SCHEMA_NAME}[.](run_processor[(]'.*', [0-9]+[)]|run_maintenance[(][)])$`;

/** Own jobs with our commands in databases that do not exist. */
export async function readJobsOfNoDatabase(cron: ClientBase): Promise<OwnJob[]> {
  if (!(await hasRelation(cron, 'cron', 'job'))) return [];
  return ownJobs(
    cron,
    'command ~ $1 AND database NOT IN (SELECT datname FROM pg_catalog.pg_database)',
    [OURS],
  );
}

/** How many runs of our commands the history has of each database that does not exist. */
export async function readRunsOfNoDatabase(cron: ClientBase): Promise<ReadonlyMap<string, number>> {
  const { rows } = await cron.query<{ database: string; runs: string }>(
    `SELECT database, count(*) AS runs FROM cron.job_run_details
      WHERE username = current_user AND command ~ $1
        AND database NOT IN (SELECT datname FROM pg_catalog.pg_database)
      GROUP BY database ORDER BY database`,
    [OURS],
  );
  return new Map(rows.map(({ database, runs }) => [database, Number(runs)]));
}

/** The own jobs of one deployment: those in its work database, and those in this one that look after them. */
export async function readJobsOf(
  cron: ClientBase,
  { schema, workDatabase, workSchema }: Pick<CronSide, 'schema' | 'workDatabase' | 'workSchema'>,
): Promise<OwnJob[]> {
  return ownJobs(cron, DEPLOYMENT, [workDatabase, workSchema, schema]);
}

const DEPLOYMENT = `(
  (database = $1 AND ${callsWork('command', '$2::text')})
  -- In single mode, a renamed database is its own pg_cron database, under either name.
  OR ((database = pg_catalog.current_database() OR database NOT IN (SELECT datname FROM pg_catalog.pg_database))
      AND ${callsHere('command', '$3::text')}))`;

async function ownJobs(
  cron: ClientBase,
  which: string,
  values: readonly string[],
): Promise<OwnJob[]> {
  const { rows } = await cron.query<{
    jobid: string;
    name: string;
    database: string;
    command: string;
  }>(
    `SELECT jobid, coalesce(jobname::text, '(job ' || jobid || ')') AS name, database, command
       FROM cron.job WHERE username = current_user AND ${which} ORDER BY name`,
    [...values],
  );
  return rows.map(({ jobid, name, ...job }) => ({ jobId: Number(jobid), jobName: name, ...job }));
}

export async function unschedule(cron: ClientBase, jobs: readonly OwnJob[]): Promise<void> {
  // Whoever unscheduled one meanwhile did what we want.
  await cron.query(
    'SELECT cron.unschedule(jobid) FROM cron.job WHERE username = current_user AND jobid = ANY ($1)',
    [jobs.map(({ jobId }) => jobId)],
  );
}

/** Deletes the history of our commands in a database that does not exist; returns how many runs that were. */
export async function deleteRunsOf(cron: ClientBase, database: string): Promise<number> {
  const { rowCount } = await cron.query(
    `DELETE FROM cron.job_run_details
      WHERE username = current_user AND command ~ $1 AND database = $2
        AND database NOT IN (SELECT datname FROM pg_catalog.pg_database)`,
    [OURS, database],
  );
  return rowCount ?? 0;
}

/** Deletes the history of the jobs of one deployment in this database. */
export async function deleteRunsHere(cron: ClientBase, schema: string): Promise<void> {
  await cron.query(
    `DELETE FROM cron.job_run_details
      WHERE username = current_user
        AND (database = pg_catalog.current_database()
             OR database NOT IN (SELECT datname FROM pg_catalog.pg_database))
        AND ${callsHere('command', '$1::text')}`,
    [schema],
  );
}
