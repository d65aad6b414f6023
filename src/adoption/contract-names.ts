import type { DeploymentTables } from '../deployment/placeholder-values.js';
import type { Settings } from '../settings/settings.js';

/** Runs one fragment; what the tool's jobs call. */
export const JOB_FUNCTION = 'partitioncache_run_single_job_with_params';

/** What the tool's command line calls where pg_cron is. */
export const CRON_FUNCTIONS: readonly string[] = [
  'partitioncache_get_processor_status',
  'partitioncache_get_processor_status_detailed',
  'partitioncache_set_processor_enabled_cron',
  'partitioncache_update_processor_config_cron',
];

/** What clients call in the work database, and what the tool's jobs call there. */
export const WORK_FUNCTIONS: readonly string[] = [
  'non_blocking_fragment_queue_upsert',
  'non_blocking_original_queue_upsert',
  'non_blocking_fragment_queue_batch_upsert',
  'partitioncache_ensure_metadata_tables',
  'partitioncache_bootstrap_partition',
  'partitioncache_create_bitsize_trigger',
  'partitioncache_setup_array_extensions',
  'partitioncache_get_cache_table_name',
  'partitioncache_get_metadata_table_name',
  'partitioncache_get_queries_table_name',
  'partitioncache_manual_process_queue',
  'partitioncache_cleanup_cached_queue_items',
  'partitioncache_get_queue_and_cache_info',
  'partitioncache_initialize_cache_processor_tables',
  'array_intersect_agg',
  JOB_FUNCTION,
];

/** Without these columns, a table is none of the contract. */
export const REQUIRED_COLUMNS: Readonly<Record<keyof DeploymentTables, readonly string[]>> = {
  originalQueue: ['id', 'query', 'partition_key'],
  fragmentQueue: ['id', 'query', 'hash', 'partition_key'],
  processorConfig: ['job_name', 'table_prefix', 'queue_prefix', 'cache_backend'],
  processorLog: ['id', 'job_id', 'query_hash', 'partition_key', 'status'],
  activeJobs: ['query_hash', 'partition_key', 'query'],
  partitionMetadata: ['partition_key', 'datatype'],
  queries: ['query_hash', 'partition_key', 'query', 'status'],
};

/** Columns that the tool has beyond the contract, for backends that this package does not deploy. */
export const POSTGIS_COLUMNS: readonly string[] = [
  'geometry_column',
  'h3_resolution',
  'bbox_cell_size',
  'bbox_srid',
];

/** Where the rows stay that do not fit. Plain names only, so that a character is a byte. */
export function keptSchema({ schema }: Pick<Settings, 'schema'>): string {
  return `${schema.slice(0, 50)}_before_adopt`;
}
