import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';

/** pg_dump's schema, without what differs between runs or between versions of pg_dump. */
export async function dumpSchema(
  cluster: ClusterAddress,
  database: string,
  options: readonly string[] = [],
): Promise<string> {
  const dump = await runServerTool(cluster, 'pg_dump', [
    '--schema-only',
    '--username=postgres',
    // A name alone would be read as a connection string if it has a = in it.
    `--dbname=dbname='${database.replace(/[\\']/g, '\\$&')}'`,
    ...options,
  ]);
  return `${dump
    .split('\n')
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict)/.test(line))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
