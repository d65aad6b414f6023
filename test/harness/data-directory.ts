import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { adminClient } from './databases.js';

/** Where the server keeps its data, as a path on the server. */
export async function dataDirectory(cluster: ClusterAddress): Promise<string> {
  const client = await adminClient('postgres', cluster);
  try {
    const { rows } = await client.query('SHOW data_directory');
    return rows[0].data_directory;
  } finally {
    await client.end();
  }
}
