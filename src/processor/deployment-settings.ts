import type { ClientBase } from 'pg';
import { clientName, ownName } from '../deployment/own-names.js';
import { deploymentTables } from '../deployment/placeholder-values.js';
import { isMoved, readWhereabouts } from '../deployment/whereabouts.js';
import type { Settings } from '../settings/settings.js';
import { defaultJobName } from './default-job-name.js';

/** A processor as its row of the configuration has it. */
export interface ProcessorSettings {
  readonly name: string;
  /** Whether it has the name that database and cache prefix give it, which is another one elsewhere. */
  readonly isDefault: boolean;
  readonly enabled: boolean;
  readonly parallel: number;
  readonly frequencySeconds: number;
  readonly timeoutSeconds: number;
  readonly staleAfterSeconds: number;
  /** Null: no limit. */
  readonly resultLimit: number | null;
  /** Null: as the data asks for. */
  readonly defaultBitsize: number | null;
}

/** The settings beyond the clients' configuration table. */
export interface DeploymentSettings {
  readonly batchSize: number;
  readonly maxAttempts: number;
  readonly retryBackoffSeconds: number;
  readonly logRetentionDays: number;
  readonly runRetentionDays: number;
  readonly maxSlots: number;
}

export type Change = 'created' | 'changed' | 'unchanged';

export async function readProcessorSettings(
  work: ClientBase,
  settings: Settings,
): Promise<ProcessorSettings[]> {
  const { rows } = await work.query<Omit<ProcessorSettings, 'isDefault'>>(
    `SELECT job_name AS name, enabled, max_parallel_jobs AS parallel, frequency_seconds AS "frequencySeconds",
            timeout_seconds AS "timeoutSeconds", stale_after_seconds AS "staleAfterSeconds",
            result_limit AS "resultLimit", default_bitsize AS "defaultBitsize"
       FROM ${clientName(settings, deploymentTables(settings).processorConfig)} ORDER BY job_name`,
  );
  // Where the database moved and is not adopted yet, it still has its former name.
  const found = await readWhereabouts(work, settings);
  const { database } = isMoved(found) ? found.origin : settings.work;
  const own = defaultJobName({ ...settings, work: { ...settings.work, database } });
  return rows.map(({ name, ...row }) => ({ name, isDefault: name === own, ...row }));
}

export async function readDeploymentSettings(
  work: ClientBase,
  settings: Settings,
): Promise<DeploymentSettings> {
  const { rows } = await work.query<DeploymentSettings>(
    `SELECT batch_size AS "batchSize", max_attempts AS "maxAttempts",
            retry_backoff_seconds AS "retryBackoffSeconds", log_retention_days AS "logRetentionDays",
            run_retention_days AS "runRetentionDays", max_slots AS "maxSlots"
       FROM ${ownName(settings, 'settings')}`,
  );
  if (rows[0] === undefined) throw new Error('the table settings has no row');
  return rows[0];
}

/** Makes the row of the processor what is given, whether or not there is one. */
export async function writeProcessorSettings(
  work: ClientBase,
  settings: Settings,
  processor: Omit<ProcessorSettings, 'isDefault'>,
): Promise<Change> {
  const columns = [
    'enabled',
    'max_parallel_jobs',
    'frequency_seconds',
    'timeout_seconds',
    'stale_after_seconds',
    'result_limit',
    'default_bitsize',
  ];
  const config = clientName(settings, deploymentTables(settings).processorConfig);
  const { rows } = await work.query<{ created: boolean }>(
    `INSERT INTO ${config} AS config
       (job_name, table_prefix, queue_prefix, cache_backend, target_database, ${columns.join(', ')})
     VALUES ($1, $2, $3, $4, current_database(), $5, $6, $7, $8, $9, $10, $11)
     ON CONFLICT (job_name) DO UPDATE SET (${columns.join(', ')})
       = (${columns.map((column) => `excluded.${column}`).join(', ')})
     WHERE (${columns.map((column) => `config.${column}`).join(', ')})
       IS DISTINCT FROM (${columns.map((column) => `excluded.${column}`).join(', ')})
     RETURNING xmax = 0 AS created`,
    [
      processor.name,
      settings.tablePrefix,
      settings.queuePrefix,
      settings.cacheBackend,
      processor.enabled,
      processor.parallel,
      processor.frequencySeconds,
      processor.timeoutSeconds,
      processor.staleAfterSeconds,
      processor.resultLimit,
      processor.defaultBitsize,
    ],
  );
  if (rows[0] === undefined) return 'unchanged';
  return rows[0].created ? 'created' : 'changed';
}

/** Returns whether that changed anything. */
export async function writeDeploymentSettings(
  work: ClientBase,
  settings: Settings,
  values: DeploymentSettings,
): Promise<boolean> {
  const { rowCount } = await work.query(
    `UPDATE ${ownName(settings, 'settings')}
        SET (batch_size, max_attempts, retry_backoff_seconds, log_retention_days, run_retention_days, max_slots)
          = ($1, $2, $3, $4, $5, $6)
      WHERE (batch_size, max_attempts, retry_backoff_seconds, log_retention_days, run_retention_days, max_slots)
        <> ($1, $2, $3, $4, $5, $6)`,
    [
      values.batchSize,
      values.maxAttempts,
      values.retryBackoffSeconds,
      values.logRetentionDays,
      values.runRetentionDays,
      values.maxSlots,
    ],
  );
  return rowCount === 1;
}
