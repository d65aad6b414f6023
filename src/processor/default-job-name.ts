import type { Settings } from '../settings/settings.js';

/**
 * The name PartitionCache's own tools give the processor of a database and table prefix (clients' contract):
 * `partitioncache_process_queue_<database>_<suffix>`, where suffix is the prefix without a leading
 * `partitioncache_` and without underscores, or `default`.
 */
export function defaultJobName(settings: Pick<Settings, 'tablePrefix' | 'work'>): string {
  const { tablePrefix, work } = settings;
  const suffix =
    tablePrefix === 'partitioncache'
      ? ''
      : tablePrefix.replace(/^partitioncache_/, '').replaceAll('_', '');
  return `partitioncache_process_queue_${work.database}_${suffix || 'default'}`;
}
