import path from 'node:path';
import { getContainerRuntimeClient } from 'testcontainers';
import { inject } from 'vitest';
import type { ThrowawayCluster } from '../../tools/throwaway/cluster.js';
import { runCommand } from '../../tools/throwaway/run-command.js';
import { dataDirectory } from './data-directory.js';
import './global-setup.js';
import { waitFor } from './wait-for.js';

/** `kill -9` of a backend; false if it had already ended. The server then ends all sessions and recovers. */
export async function killBackend(cluster: ThrowawayCluster, pid: number): Promise<boolean> {
  if (cluster.location.kind === 'local') {
    try {
      return process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }
  const client = await getContainerRuntimeClient();
  const container = client.container.getById(cluster.location.container);
  const { exitCode } = await client.container.exec(container, ['sh', '-c', `kill -9 ${pid}`]);
  return exitCode === 0;
}

/** `pg_ctl stop -m immediate`, and a start. */
export async function stopImmediatelyAndStart(cluster: ThrowawayCluster): Promise<void> {
  if (cluster.location.kind === 'local') {
    await restartLocally(cluster, cluster.location.binDirectory);
    return;
  }
  const client = await getContainerRuntimeClient();
  const container = client.container.getById(cluster.location.container);
  // The signal that pg_ctl sends; pg_ctl itself would end with the container before it could report the result.
  await container.kill({ signal: 'SIGQUIT' });
  await waitFor('the end of the server', async () => (await container.inspect()).State.Running, {
    deadlineMs: 30_000,
    until: (running) => !running,
  });
  await cluster.restart();
}

async function restartLocally(cluster: ThrowawayCluster, binDirectory: string): Promise<void> {
  const runtime = inject('runtime');
  const data = await dataDirectory(cluster);
  await runCommand(
    path.join(binDirectory, 'pg_ctl'),
    // Without a log file the server would keep our pipe open.
    [
      'restart',
      '-m',
      'immediate',
      '-D',
      data,
      '-s',
      '-w',
      '-l',
      path.join(data, '..', 'server.log'),
    ],
    {
      account: runtime.kind === 'local' ? runtime.account : undefined,
      cwd: path.dirname(data),
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    },
  );
}
