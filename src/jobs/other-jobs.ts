import { type ClientBase, escapeLiteral } from 'pg';
import { hasExtension } from '../database/catalogue.js';
import { pasteable } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';
import { callsHere, callsWork, SCHEMA_NAME } from './own-commands.js';

/** A job in a pg_cron that is not of this deployment. */
export interface OtherJob {
  readonly jobId: number;
  readonly jobName: string | undefined;
  readonly schedule: string;
  readonly command: string;
  readonly database: string;
  readonly role: string;
  readonly active: boolean;
  /** Whether it calls what this package deploys, for another deployment. */
  readonly isOfPackage: boolean;
}

export interface OtherJobs {
  /** Of every role; else those of the role that looked alone, since pg_cron hides the others. */
  readonly isComplete: boolean;
  readonly jobs: readonly OtherJob[];
}

const NONE: OtherJobs = { isComplete: true, jobs: [] };

interface JobRow {
  jobid: string;
  jobname: string | null;
  schedule: string;
  command: string;
  database: string;
  username: string;
  active: boolean;
}

/**
 * Of a row of cron.job or cron.job_run_details: what is_own in the pg_cron database says of this deployment's. Not
 * asked of that function, since whoever looks may be an administrator, and ours may be gone.
 */
const IS_OWN = `
  username = $1 AND (
    (database = $2 AND ${callsWork('command', '$3::text')})
    OR (database = pg_catalog.current_database() AND ${callsHere('command', '$4::text')}))`;

function ownValues({ cron, work, schema, cronSchema }: Settings): string[] {
  return [cron.user, work.database, schema, cronSchema];
}

/** The jobs in this database's pg_cron that this deployment did not make. */
export async function readOtherJobs(client: ClientBase, settings: Settings): Promise<OtherJobs> {
  if (!(await hasExtension(client, 'pg_cron'))) return NONE;
  const { rows: rights } = await client.query<{ may_look: boolean; sees_all: boolean }>(
    `SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
              AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS may_look,
            (SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles
              WHERE rolname = current_user) AS sees_all
       FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      WHERE n.nspname = 'cron' AND c.relname = 'job'`,
  );
  const [right] = rights;
  if (!right?.may_look) return { isComplete: false, jobs: [] };
  const { rows } = await client.query<JobRow>(
    `SELECT jobid, jobname::text, schedule, command, database, username, active FROM cron.job
      WHERE NOT (${IS_OWN}) ORDER BY jobid`,
    ownValues(settings),
  );
  return { isComplete: right.sees_all, jobs: rows.map(otherJob) };
}

/** Whether pg_cron keeps a history of runs here that are not of this deployment. */
export async function hasOtherRuns(client: ClientBase, settings: Settings): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM cron.job_run_details WHERE NOT (${IS_OWN}) LIMIT 1`,
    ownValues(settings),
  );
  return rowCount === 1;
}

/** This deployment's jobs and the history of their runs, as the cron role, once the cron stream is gone. */
export async function forgetOwnJobs(cron: ClientBase, settings: Settings): Promise<void> {
  if (!(await hasExtension(cron, 'pg_cron'))) return;
  await cron.query(
    `SELECT cron.unschedule(jobid) FROM cron.job WHERE ${IS_OWN}`,
    ownValues(settings),
  );
  await cron.query(`DELETE FROM cron.job_run_details WHERE ${IS_OWN}`, ownValues(settings));
}

const OF_PACKAGE = new RegExp(
  `^(CALL ${SCHEMA_NAME}[.](run_processor[(]|run_maintenance[(][)])|SELECT ${SCHEMA_NAME}[.](prune_job_runs|dispatch)[(])`,
  'u',
);

function otherJob({ jobid, jobname, username, ...job }: JobRow): OtherJob {
  return {
    ...job,
    jobId: Number(jobid),
    jobName: jobname ?? undefined,
    role: username,
    isOfPackage: OF_PACKAGE.test(job.command),
  };
}

// What `shown` escapes: in one line the query has to come back from psql, which wraps what has line breaks.
const UNPRINTABLE = String.raw`E'[\\u0001-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]'`;

const ESCAPED_LITERAL = `'E''' || string_agg(CASE WHEN c ~ ${UNPRINTABLE} THEN ${String.raw`E'\\u'`} || lpad(to_hex(ascii(c)), 4, '0') WHEN c = ${String.raw`E'\\'`} THEN c || c WHEN c = '''' THEN c || c ELSE c END, '' ORDER BY place) || ''''`;

/**
 * For who sees them all: a query whose rows mean what scheduleLine makes of those that isOfPackage leaves, each in one
 * line, whatever is in the job.
 */
export const SCHEDULE_LINES = `SELECT format('SELECT cron.schedule_in_database(%s, %s);', (SELECT string_agg(literal, ', ' ORDER BY number) FROM unnest(ARRAY[coalesce(jobname::text, 'job ' || jobid), schedule, command, database, username]) WITH ORDINALITY AS texts (value, number), LATERAL (SELECT CASE WHEN value ~ ${UNPRINTABLE} THEN ${ESCAPED_LITERAL} ELSE quote_literal(value) END FROM regexp_split_to_table(value, '') WITH ORDINALITY AS characters (c, place)) AS literals (literal)), active::text) FROM cron.job WHERE command !~ '[.](run_processor|run_maintenance|prune_job_runs|dispatch)[(]';`;

/** The statement that makes the job again in another pg_cron, for an administrator: it keeps its role. */
export function scheduleLine({
  jobId,
  jobName,
  schedule,
  command,
  database,
  role,
  active,
}: OtherJob): string {
  const texts = [jobName ?? `job ${jobId}`, schedule, command, database, role].map(escapeLiteral);
  return pasteable(`SELECT cron.schedule_in_database(${texts.join(', ')}, ${active});`);
}
