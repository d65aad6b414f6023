import type pg from 'pg';
import type { Settings } from '../../src/settings/settings.js';
import type { TestSite } from './deployment.js';
import { dumpSchema } from './dump-schema.js';

/** Everything of a deployment in both databases, in a form in which two like deployments are equal. */
export interface CompleteState {
  readonly work: string;
  readonly cron: string;
  /** The rows of each table, without what differs from run to run. */
  readonly rows: Readonly<Record<string, string>>;
  readonly jobs: readonly unknown[];
}

export interface Observers {
  readonly work: pg.Client;
  readonly cron: pg.Client;
}

/** `observers` are administrators. */
export async function readCompleteState(
  site: TestSite,
  settings: Settings,
  { work, cron }: Observers,
): Promise<CompleteState> {
  const [workDump, cronDump] = await Promise.all([
    dumpSchema(site.cluster, site.database),
    dumpIfThere(site, settings, cron),
  ]);
  const rows = {
    ...(await rowsOf(work, undefined)),
    ...(await rowsOf(cron, settings.cronSchema)),
  };
  const { rows: jobs } = await cron.query(
    `SELECT jobname, schedule, command, database, username, active FROM cron.job
      WHERE username = $1 ORDER BY jobname`,
    [site.cronRole.name],
  );
  return { work: withoutTimes(workDump), cron: cronDump, rows, jobs };
}

/** The comment on the schema of what is kept says since when, and which releases were undone. */
function withoutTimes(dump: string): string {
  return dump.replace(/(?<=rows since )\S+(, when it undid) releases? [\d, ]+(?= of)/g, '…$1 …');
}

const CATALOGUES = [
  'class',
  'proc',
  'type',
  'attribute',
  'attrdef',
  'constraint',
  'trigger',
  'rewrite',
]
  .concat(
    'namespace',
    'description',
    'policy',
    'default_acl',
    'extension',
    'foreign_server',
    'user_mapping',
  )
  .map((name) => `pg_${name}`);

/**
 * Stays the same as long as nothing is changed in either database, by anybody: dumps take longer. It differs also
 * where the same was written anew.
 */
export async function fingerprint(
  { cronSchema }: Settings,
  { work, cron }: Observers,
): Promise<string> {
  const sums = CATALOGUES.map(
    (name) => `(SELECT sum(hashtextextended(c.xmin::text || c.ctid::text, 0)) FROM ${name} AS c)`,
  );
  const prints: string[] = [];
  for (const [client, schema] of [[work, undefined] as const, [cron, cronSchema] as const]) {
    const { rows } = await client.query(`SELECT concat_ws(' ', ${sums.join(', ')}) AS print`);
    prints.push(rows[0].print, JSON.stringify(await rowsOf(client, schema)));
  }
  const { rows: jobs } = await cron.query('SELECT xmin, ctid, * FROM cron.job ORDER BY jobid');
  return [...prints, JSON.stringify(jobs)].join('\n');
}

async function dumpIfThere({ cluster }: TestSite, settings: Settings, cron: pg.Client) {
  const { cronSchema } = settings;
  const { rowCount } = await cron.query('SELECT FROM pg_namespace WHERE nspname = $1', [
    cronSchema,
  ]);
  return rowCount === 0
    ? ''
    : dumpSchema(cluster, settings.cron.database, [`--schema=*${cronSchema}*`]);
}

// Clocks, processes and numbers that are given out; the number of a release counts the failed ones, too.
const VARYING = ['release', 'position', 'number', 'digest', 'pid', 'jobid', 'job_id', 'job_ids'];

async function rowsOf(client: pg.Client, schema: string | undefined) {
  const { rows: tables } = await client.query<{ name: string; columns: string; condition: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name,
            -- What a session holds ends with it, and no session is left.
            CASE c.relname WHEN 'hold' THEN 'WHERE pid IS NULL' ELSE '' END AS condition,
            string_agg(
              CASE WHEN a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'interval'::regtype)
                     OR a.attname = ANY ($2) OR c.relname = 'migrations' AND a.attname = 'id'
                THEN format('%I IS NULL AS %1$I', a.attname) ELSE quote_ident(a.attname) END,
              ', ' ORDER BY a.attnum) AS columns
       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
       JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind = 'r' AND c.relname NOT IN ('pois', 'release', 'slot')
        AND CASE WHEN $1::text IS NULL
              THEN n.nspname NOT IN ('pg_catalog', 'information_schema', 'cron') ELSE n.nspname = $1 END
      GROUP BY 1, 2 ORDER BY 1`,
    [schema ?? null, VARYING],
  );
  const found: Record<string, string> = {};
  for (const { name, columns, condition } of tables) {
    const { rows } = await client.query(
      `SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') AS rows FROM (SELECT ${columns} FROM ${name} ${condition}) AS r`,
    );
    found[name] = rows[0].rows;
  }
  return found;
}

/** What is not the same in both, in words. */
export function differences(a: CompleteState, b: CompleteState): string[] {
  const parts = (state: CompleteState): Record<string, string> => ({
    'the schema of the work database': state.work,
    'the schema of the pg_cron database': state.cron,
    'the jobs': state.jobs.map((job) => JSON.stringify(job)).join('\n'),
    ...Object.fromEntries(
      Object.entries(state.rows).map(([table, rows]) => [`the rows of ${table}`, rows]),
    ),
  });
  const [first, second] = [parts(a), parts(b)];
  return [...new Set([...Object.keys(first), ...Object.keys(second)])]
    .filter((part) => first[part] !== second[part])
    .map((part) => `${part}: ${firstDifference(first[part], second[part])}`);
}

function firstDifference(a: string | undefined, b: string | undefined): string {
  const [first, second] = [a, b].map((text) => text?.split('\n') ?? []);
  const index = first?.findIndex((line, place) => line !== second?.[place]) ?? 0;
  const place = index < 0 ? (first?.length ?? 0) : index;
  const [one, other] = [first?.[place], second?.[place]].map(
    (line) => line?.slice(0, 100) ?? 'none',
  );
  return `${one} <> ${other}`;
}
