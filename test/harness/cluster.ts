import { inject } from 'vitest';
import type {
  ClusterAddress,
  ClusterOptions,
  ThrowawayCluster,
} from '../../tools/throwaway/cluster.js';
import { startCluster } from '../../tools/throwaway/start-cluster.js';
import './global-setup.js';

const own: ThrowawayCluster[] = [];

/** After each file (after-file.ts), no matter which of its hooks or tests started them. */
export async function stopOwnClusters(): Promise<void> {
  await Promise.all(own.splice(0).map((cluster) => cluster.stop()));
}

// A worker outlives a vitest that was killed, and its clusters would too.
process.once('disconnect', () => process.exit(1));

/** The cluster that all test files share. */
export function sharedCluster(): ClusterAddress {
  return inject('sharedCluster');
}

/** A cluster for tests that change cluster-wide settings or break the server. */
export async function startOwnCluster(
  options: Partial<ClusterOptions> = {},
): Promise<ThrowawayCluster> {
  const cluster = await startCluster(inject('runtime'), options);
  own.push(cluster);
  return cluster;
}
