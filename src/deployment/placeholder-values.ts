import type { PlaceholderValues } from '../migrations/render-sql.js';
import type { Settings } from '../settings/settings.js';

/** The tables of the clients' contract, by the name the migrations use for them. */
export interface DeploymentTables {
  readonly originalQueue: string;
  readonly fragmentQueue: string;
  readonly processorConfig: string;
  readonly processorLog: string;
  readonly activeJobs: string;
  readonly partitionMetadata: string;
  readonly queries: string;
}

export function deploymentTables(
  settings: Pick<Settings, 'queuePrefix' | 'tablePrefix'>,
): DeploymentTables {
  const { queuePrefix: queue, tablePrefix: cache } = settings;
  return {
    originalQueue: `${queue}_original_query_queue`,
    fragmentQueue: `${queue}_query_fragment_queue`,
    processorConfig: `${queue}_processor_config`,
    processorLog: `${queue}_processor_log`,
    activeJobs: `${queue}_active_jobs`,
    partitionMetadata: `${cache}_partition_metadata`,
    queries: `${cache}_queries`,
  };
}

/** The values of the placeholders in both streams' migrations for this deployment. */
export function placeholderValues(settings: Settings): PlaceholderValues {
  const tables = deploymentTables(settings);
  const table = (name: string) => [settings.clientSchema, name] as const;
  return {
    schema: settings.schema,
    client_schema: settings.clientSchema,
    cron_schema: settings.cronSchema,
    work_database: settings.work.database,
    queue_prefix: settings.queuePrefix,
    table_prefix: settings.tablePrefix,
    cache_backend: settings.cacheBackend,
    migrator_role: settings.work.user,
    cron_role: settings.cron.user,
    client_role: settings.client.user,
    original_queue: table(tables.originalQueue),
    fragment_queue: table(tables.fragmentQueue),
    processor_config: table(tables.processorConfig),
    processor_log: table(tables.processorLog),
    active_jobs: table(tables.activeJobs),
    partition_metadata: table(tables.partitionMetadata),
    queries: table(tables.queries),
  };
}
