import type pg from 'pg';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';

/** How the administrator connects. */
export function connectionConfig(cluster: ClusterAddress, database: string): pg.ClientConfig {
  return {
    host: cluster.host,
    port: cluster.port,
    user: cluster.adminUser,
    password: cluster.adminPassword,
    database,
    ssl: false,
  };
}
