import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { runServerTool } from '../../tools/throwaway/server-tool.js';

/** pg_dump's schema, less what differs from one run, or one version of pg_dump, to the next. */
export async function dumpSchema(
  cluster: ClusterAddress,
  database: string,
  options: readonly string[] = [],
): Promise<string> {
  const dump = await runServerTool(cluster, 'pg_dump', [
    '--schema-only',
    '--username=postgres',
    `--dbname=${database}`,
    ...options,
  ]);
  return `${dump
    .split('\n')
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\(un)?restrict)/.test(line))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
