import type { ClientBase } from 'pg';
import { isDatabaseError } from '../database/database-error.js';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';
import type { ConfigRow } from './foreign-setup.js';

/** The jobs whose ids a row has are gone; the database is this one, and the time of the change is now. */
const SETTINGS = [
  'job_name',
  'enabled',
  'max_parallel_jobs',
  'frequency_seconds',
  'timeout_seconds',
  'stale_after_seconds',
  'table_prefix',
  'queue_prefix',
  'cache_backend',
  'result_limit',
  'default_bitsize',
] as const;

/** Takes these processors over. `left` says why rows of the old table `from`, if there is one, are not among them. */
export async function takeConfig(
  work: ClientBase,
  settings: Settings,
  config: readonly ConfigRow[],
  from: string | undefined,
): Promise<{ readonly taken: number; readonly left: readonly string[] }> {
  await work.query(
    `UPDATE ${ownName(settings, 'settings')} SET max_slots = $1 WHERE max_slots < $1`,
    [enabledSlots(config)],
  );
  const refused = new Map<string, string>();
  for (const row of config) {
    const reason = await insert(work, settings, row);
    if (reason !== undefined) refused.set(row.job_name, reason);
  }
  return {
    taken: config.length - refused.size,
    left: [
      ...[...refused].map(([name, reason]) => `processor "${name}": ${reason}`),
      ...(from === undefined ? [] : await ofOtherCaches(work, config, from)),
    ],
  };
}

async function ofOtherCaches(
  work: ClientBase,
  config: readonly ConfigRow[],
  from: string,
): Promise<string[]> {
  const { rows } = await work.query<{ job_name: string }>(
    `SELECT job_name FROM ONLY ${from} WHERE job_name <> ALL ($1) ORDER BY job_name`,
    [config.map(({ job_name }) => job_name)],
  );
  return rows.map(({ job_name }) => `processor "${job_name}" fills another cache`);
}

export function enabledSlots(config: readonly ConfigRow[]): number {
  return config
    .filter(({ enabled }) => enabled)
    .reduce((sum, { max_parallel_jobs = 0 }) => sum + max_parallel_jobs, 0);
}

const INTEGRITY_CONSTRAINT_VIOLATION = /^23/;

/** Returns what the new table says against it. */
async function insert(
  work: ClientBase,
  settings: Settings,
  row: ConfigRow,
): Promise<string | undefined> {
  const table = clientName(settings, deploymentTables(settings).processorConfig);
  const columns = SETTINGS.filter((column) => (row[column] ?? null) !== null).join(', ');
  await work.query('SAVEPOINT processor');
  try {
    await work.query(
      `INSERT INTO ${table} (target_database, ${columns})
       SELECT current_database(), ${columns} FROM jsonb_populate_record(NULL::${table}, $1)`,
      [JSON.stringify(row)],
    );
    await work.query('RELEASE SAVEPOINT processor');
    return undefined;
  } catch (error) {
    if (!isDatabaseError(error) || !INTEGRITY_CONSTRAINT_VIOLATION.test(error.code ?? ''))
      throw error;
    await work.query('ROLLBACK TO SAVEPOINT processor');
    return error.message;
  }
}
