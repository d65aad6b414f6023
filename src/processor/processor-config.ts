import type { ClientBase } from 'pg';
import { clientName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';
import type { Settings } from '../settings/settings.js';

/** The settings of a processor that can be changed; null removes a limit. */
export interface ProcessorChange {
  readonly enabled?: boolean | undefined;
  readonly parallel?: number | undefined;
  readonly frequencySeconds?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly resultLimit?: number | null | undefined;
  readonly defaultBitsize?: number | null | undefined;
}

export class UnknownProcessorError extends PcacheError {
  override readonly name = 'UnknownProcessorError';

  constructor(jobName: string, known: readonly string[]) {
    super(
      known.length === 0
        ? `There is no processor "${shown(jobName)}": there are none yet.`
        : `There is no processor "${shown(jobName)}". There ${known.length === 1 ? 'is' : 'are'}: ${known.map(shown).join(', ')}.`,
      known.length === 0
        ? { remedy: 'Create it with pcache-migrate setup or pcache-migrate processor add.' }
        : {
            remedy: 'Name one of those, or create another one with pcache-migrate processor add.',
          },
    );
  }
}

export class ProcessorExistsError extends PcacheError {
  override readonly name = 'ProcessorExistsError';

  constructor(jobName: string) {
    super(`There is already a processor "${shown(jobName)}".`, {
      remedy: 'Change it with pcache-migrate processor set, or choose another name.',
    });
  }
}

const COLUMNS: Readonly<Record<keyof ProcessorChange, string>> = {
  enabled: 'enabled',
  parallel: 'max_parallel_jobs',
  frequencySeconds: 'frequency_seconds',
  timeoutSeconds: 'timeout_seconds',
  resultLimit: 'result_limit',
  defaultBitsize: 'default_bitsize',
};

function assignments(change: ProcessorChange): { columns: string[]; values: unknown[] } {
  const given = (Object.keys(COLUMNS) as (keyof ProcessorChange)[]).filter(
    (key) => change[key] !== undefined,
  );
  return { columns: given.map((key) => COLUMNS[key]), values: given.map((key) => change[key]) };
}

function configTable(settings: Settings): string {
  return clientName(settings, deploymentTables(settings).processorConfig);
}

/** Creates a processor, disabled unless the change says otherwise. Raises ProcessorExistsError. */
export async function addProcessor(
  work: ClientBase,
  settings: Settings,
  jobName: string,
  change: ProcessorChange,
): Promise<void> {
  const { columns, values } = assignments(change);
  const fixed = ['job_name', 'table_prefix', 'queue_prefix', 'cache_backend', 'target_database'];
  const all = [
    jobName,
    settings.tablePrefix,
    settings.queuePrefix,
    settings.cacheBackend,
    settings.work.database,
    ...values,
  ];
  const { rowCount } = await work.query(
    `INSERT INTO ${configTable(settings)} (${[...fixed, ...columns].join(', ')})
     VALUES (${all.map((_, index) => `$${index + 1}`).join(', ')})
     ON CONFLICT (job_name) DO NOTHING`,
    all,
  );
  if (rowCount === 0) throw new ProcessorExistsError(jobName);
}

/** Changes the given settings of a processor. Raises UnknownProcessorError. */
export async function setProcessor(
  work: ClientBase,
  settings: Settings,
  jobName: string,
  change: ProcessorChange,
): Promise<void> {
  const { columns, values } = assignments(change);
  const set = ['job_name = $1', ...columns.map((column, index) => `${column} = $${index + 2}`)];
  const { rowCount } = await work.query(
    `UPDATE ${configTable(settings)} SET ${set.join(', ')} WHERE job_name = $1`,
    [jobName, ...values],
  );
  if (rowCount === 0) {
    throw new UnknownProcessorError(jobName, await processorNames(work, settings));
  }
}

/** Removes a processor; what is queued and cached stays. Raises UnknownProcessorError. */
export async function removeProcessor(
  work: ClientBase,
  settings: Settings,
  jobName: string,
): Promise<void> {
  const { rowCount } = await work.query(
    `DELETE FROM ${configTable(settings)} WHERE job_name = $1`,
    [jobName],
  );
  if (rowCount === 0) {
    throw new UnknownProcessorError(jobName, await processorNames(work, settings));
  }
}

export async function processorNames(work: ClientBase, settings: Settings): Promise<string[]> {
  const { rows } = await work.query<{ job_name: string }>(
    `SELECT job_name FROM ${configTable(settings)} ORDER BY job_name`,
  );
  return rows.map(({ job_name }) => job_name);
}
