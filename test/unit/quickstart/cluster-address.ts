import type { ClusterAddress } from '../../../tools/throwaway/cluster.js';

export const clusterAddress: ClusterAddress = {
  runtime: 'docker',
  host: '127.0.0.1',
  port: 25432,
  serverPort: 5432,
  adminUser: 'postgres',
  adminPassword: 'secret',
  location: { kind: 'docker', container: 'pcache-throwaway-1' },
};
