import { type ClientBase, escapeIdentifier } from 'pg';
import { inTransaction } from '../database/in-transaction.js';
import type { Settings } from '../settings/settings.js';
import { dropFunctions } from './drop-foreign-code.js';
import type { ForeignConfigCopy, ForeignJob } from './foreign-setup.js';
import { dropCopyLines } from './lines-by-hand.js';
import { readConfigCopy } from './read-cron-side.js';
import { SetupChangedError } from './setup-changed-error.js';

/** Unschedules these jobs, unless they are gone; returns the backends that run them. */
export async function unscheduleForeignJobs(
  cron: ClientBase,
  jobs: readonly ForeignJob[],
): Promise<number[]> {
  if (jobs.length === 0) return [];
  const ids = jobs.map(({ jobId }) => jobId);
  return inTransaction(cron, async () => {
    // pg_cron forgets the run of a job that is unscheduled, but its backend may go on.
    const { rows } = await cron.query<{ pid: number }>(
      `SELECT DISTINCT job_pid AS pid FROM cron.job_run_details
        WHERE jobid = ANY ($1::bigint[]) AND status NOT IN ('succeeded', 'failed') AND job_pid IS NOT NULL`,
      [ids],
    );
    await cron.query(
      'SELECT cron.unschedule(jobid) FROM cron.job WHERE jobid = ANY ($1::bigint[])',
      [ids],
    );
    return rows.map(({ pid }) => pid);
  });
}

/** Backends that pg_cron started, for whatever role, and that are at these tables; jobs of others cannot be seen. */
export async function runsAtTables(
  work: ClientBase,
  settings: Settings,
  tables: readonly string[],
): Promise<number[]> {
  const { rows } = await work.query<{ pid: number }>(
    `SELECT DISTINCT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
      WHERE datname = current_database() AND application_name LIKE 'pg\\_cron%'
        AND relation IN (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                          WHERE n.nspname = $1 AND c.relname = ANY ($2))`,
    [settings.clientSchema, tables],
  );
  return rows.map(({ pid }) => pid);
}

/** Those of these backends that are still in this database. */
export async function stillRunning(work: ClientBase, pids: readonly number[]): Promise<number[]> {
  const { rows } = await work.query<{ pid: number }>(
    'SELECT pid FROM pg_stat_activity WHERE pid = ANY ($1) AND datname = current_database() ORDER BY pid',
    [pids],
  );
  return rows.map(({ pid }) => pid);
}

/** Removes the tool's configuration from the pg_cron database, and its functions where nobody else needs them. */
export async function removeConfigCopy(
  cron: ClientBase,
  settings: Settings,
  shown: ForeignConfigCopy,
): Promise<void> {
  await inTransaction(cron, async () => {
    // As for a migration: whoever waits for a lock makes others wait.
    await cron.query("SET LOCAL lock_timeout = '10s'");
    const table = `${escapeIdentifier(shown.schema)}.${escapeIdentifier(shown.table)}`;
    await cron.query(`LOCK TABLE ONLY ${table} IN ACCESS EXCLUSIVE MODE`);
    // Its owner may have hung something on it since it was looked at, which would run with our rights.
    const { copy, ignored } = await readConfigCopy(cron, settings, [shown.owner]);
    if (copy?.schema !== shown.schema || copy.owner !== shown.owner) {
      const change =
        ignored ?? `${table} is not any more the configuration that role "${shown.owner}" owned`;
      throw new SetupChangedError([change], 'Nothing was removed there.');
    }
    for (const line of dropCopyLines(copy, settings)) await cron.query(line);
    await dropFunctions(
      cron,
      copy.functions.filter(({ isOurs }) => isOurs),
    );
  });
}
