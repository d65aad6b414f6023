import { type ClusterOptions, changeOptions, type ThrowawayCluster } from './cluster.js';
import { startDockerCluster } from './docker-cluster.js';
import type { Runtime } from './find-runtime.js';
import { startLocalCluster } from './local-cluster.js';

const defaults: ClusterOptions = { cronDatabase: 'postgres', preloadPgCron: true, settings: {} };

/** The cluster goes when this process does, however it ends, unless `keep` was called. */
export function startCluster(
  runtime: Runtime,
  options: Partial<ClusterOptions> = {},
): Promise<ThrowawayCluster> {
  const complete = changeOptions(defaults, options);
  return runtime.kind === 'docker'
    ? startDockerCluster(runtime, complete)
    : startLocalCluster(runtime, complete);
}
