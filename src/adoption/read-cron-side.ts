import { type ClientBase, escapeIdentifier, escapeLiteral } from 'pg';
import { hasExtension } from '../database/catalogue.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';
import { CRON_FUNCTIONS, JOB_FUNCTION } from './contract-names.js';
import type { ConfigRow, ForeignConfigCopy, ForeignCronSide, ForeignJob } from './foreign-setup.js';
import { readForeignFunctions } from './read-functions.js';
import { DELETES_QUIETLY } from './reads-quietly.js';

/** The tool's jobs for this queue, and its copy of the configuration, as far as this role sees them. */
export async function readCronSide(
  cron: ClientBase,
  settings: Settings,
  config: readonly ConfigRow[],
  roles: readonly string[],
): Promise<ForeignCronSide> {
  const { copy, ignored, unread } = await readConfigCopy(cron, settings, roles);
  const names = [...config, ...(copy?.rows ?? [])].map(({ job_name }) => job_name);
  const jobsUnknown = await whyJobsUnknown(cron);
  return {
    jobs: jobsUnknown === undefined ? await readForeignJobs(cron, settings, names) : [],
    jobsUnknown,
    seesAllJobs: await seesAllJobs(cron),
    copy,
    copyIgnored: ignored,
    copyUnread: unread,
  };
}

async function whyJobsUnknown(cron: ClientBase): Promise<string | undefined> {
  if (!(await hasExtension(cron, 'pg_cron'))) return 'the extension pg_cron is not there';
  const { rows } = await cron.query<{ may: boolean }>(
    `SELECT CASE WHEN has_schema_privilege(oid, 'USAGE')
                 THEN has_table_privilege('cron.job', 'SELECT') ELSE false END AS may
       FROM pg_namespace WHERE nspname = 'cron'`,
  );
  return rows[0]?.may ? undefined : 'this role may not read them';
}

async function readForeignJobs(
  cron: ClientBase,
  settings: Settings,
  processors: readonly string[],
): Promise<ForeignJob[]> {
  const { rows } = await cron.query<{
    jobid: string;
    name: string;
    role: string;
    schedule: string;
    command: string;
    active: boolean;
  }>(
    `SELECT jobid::text, coalesce(jobname::text, '') AS name, username::text AS role, schedule, command, active
       FROM cron.job
      WHERE database = $1 AND strpos(command, $2) > 0
        AND (strpos(command, $3) > 0
             OR EXISTS (SELECT FROM unnest($4::text[]) AS processor
                         WHERE jobname ~ '_[0-9]+$' AND starts_with(jobname, processor || '_')))
      ORDER BY jobid`,
    [settings.work.database, `${JOB_FUNCTION}(`, escapeLiteral(settings.queuePrefix), processors],
  );
  return rows.map(({ jobid, ...job }) => ({ jobId: jobid, ...job }));
}

async function seesAllJobs(cron: ClientBase): Promise<boolean> {
  const { rows } = await cron.query<{ all: boolean }>(
    'SELECT rolsuper OR rolbypassrls AS all FROM pg_roles WHERE rolname = current_user',
  );
  return rows[0]?.all === true;
}

interface CopyRow {
  readonly schema: string;
  readonly table: string;
  readonly owner: string;
  readonly is_ours: boolean;
  readonly is_plain: boolean;
  readonly readable: boolean;
  readonly is_trusted: boolean;
  readonly triggers: readonly string[];
}

/** `roles` are those of the old set-up. In single mode, the only such table is that of the work database. */
export async function readConfigCopy(
  cron: ClientBase,
  settings: Settings,
  roles: readonly string[],
): Promise<{ copy?: ForeignConfigCopy; ignored?: string; unread?: string }> {
  if (settings.mode === 'single') return {};
  const { rows } = await cron.query<CopyRow>(
    `SELECT n.nspname::text AS schema, c.relname::text AS "table", pg_get_userbyid(c.relowner)::text AS owner,
            pg_has_role(c.relowner, 'USAGE') AS is_ours,
            ${DELETES_QUIETLY}
              AND NOT EXISTS (
                SELECT FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND t.typnamespace <> 'pg_catalog'::regnamespace)
              AND (SELECT count(*) FROM pg_attribute
                    WHERE attrelid = c.oid AND attname = ANY ($3)) = cardinality($3::text[]) AS is_plain,
            has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
            r.rolsuper OR r.rolname = ANY ($4) OR pg_has_role(c.relowner, 'USAGE') AS is_trusted,
            ARRAY(SELECT tgname::text FROM pg_trigger
                   WHERE tgrelid = c.oid AND NOT tgisinternal ORDER BY 1) AS triggers
       FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
       JOIN pg_roles AS r ON r.oid = c.relowner
      WHERE c.relname = $1 AND n.nspname <> $2
      ORDER BY n.nspname <> 'public', n.nspname`,
    [
      deploymentTables(settings).processorConfig,
      settings.cronSchema,
      ['job_name', 'queue_prefix', 'table_prefix', 'cache_backend', 'target_database'],
      [settings.work.user, settings.cron.user, settings.client.user, ...roles],
    ],
  );
  const [found] = rows;
  if (found === undefined) return {};
  const ignored = whyIgnored(found);
  if (ignored !== undefined) {
    return { ignored: `"${found.schema}"."${found.table}" of role "${found.owner}": ${ignored}` };
  }
  if (!found.readable) {
    return { unread: `${escapeIdentifier(found.schema)}.${escapeIdentifier(found.table)}` };
  }
  const own = await readCopyRows(cron, settings, found);
  // Whatever is left of it once the rows are gone is nobody's to look for again.
  if (own.rows.length === 0 && own.otherRows > 0) return {};
  const { schema, table, owner, is_ours: isOurs, triggers } = found;
  const names = (await hasOtherCopies(cron, found)) ? [] : CRON_FUNCTIONS;
  const functions =
    own.otherRows > 0 ? [] : await readForeignFunctions(cron, schema, null, names, [table]);
  return { copy: { schema, table, owner, isOurs, triggers, ...own, functions } };
}

async function hasOtherCopies(cron: ClientBase, { schema, table }: CopyRow): Promise<boolean> {
  const { rowCount } = await cron.query(
    `SELECT FROM pg_trigger
       JOIN pg_class ON pg_class.oid = tgrelid
       JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = $1 AND relname <> $2 AND starts_with(tgname, 'trg_sync_cron_job_') LIMIT 1`,
    [schema, table],
  );
  return rowCount === 1;
}

function whyIgnored({ is_plain, is_trusted }: CopyRow): string | undefined {
  if (!is_plain) return 'it is no plain table of the contract';
  return is_trusted
    ? undefined
    : 'its owner is neither a superuser nor a role of this deployment or of the old set-up';
}

async function readCopyRows(
  cron: ClientBase,
  settings: Settings,
  { schema, table }: CopyRow,
): Promise<Pick<ForeignConfigCopy, 'rows' | 'otherRows'>> {
  const { rows } = await cron.query<{ row: ConfigRow; is_own: boolean }>(
    `SELECT to_jsonb(config) AS row, ${ownCopyRows(settings)} AS is_own
       FROM ONLY ${escapeIdentifier(schema)}.${escapeIdentifier(table)} AS config
      ORDER BY config.job_name`,
  );
  const own = rows.filter(({ is_own }) => is_own);
  return { rows: own.map(({ row }) => row), otherRows: rows.length - own.length };
}

/** The condition on a row of the copy that it is of this deployment. */
export function ownCopyRows({ work, queuePrefix, tablePrefix, cacheBackend }: Settings): string {
  const values = [work.database, queuePrefix, tablePrefix, cacheBackend].map((value) =>
    escapeLiteral(value),
  );
  return `(target_database, queue_prefix, table_prefix, cache_backend) = (${values.join(', ')})`;
}
