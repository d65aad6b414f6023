import path from 'node:path';
import { getContainerRuntimeClient } from 'testcontainers';
import type { ClusterAddress } from './cluster.js';
import { CommandError, runCommand } from './run-command.js';

/** Runs a client tool of the server's own version (psql, pg_dump …) as the administrator. */
export async function runServerTool(
  cluster: ClusterAddress,
  tool: string,
  args: readonly string[],
): Promise<string> {
  const { location } = cluster;
  if (location.kind === 'local') {
    return runCommand(path.join(location.binDirectory, tool), args, {
      env: {
        PATH: process.env.PATH,
        PGHOST: cluster.host,
        PGPORT: String(cluster.port),
        PGUSER: cluster.adminUser,
        PGPASSWORD: cluster.adminPassword,
      },
    });
  }
  const client = await getContainerRuntimeClient();
  const result = await client.container.exec(client.container.getById(location.container), [
    tool,
    ...args,
  ]);
  if (result.exitCode !== 0) {
    throw new CommandError(tool, `ended with ${result.exitCode}`, result.output.trim());
  }
  return result.stdout;
}
