import path from 'node:path';
import { getContainerRuntimeClient } from 'testcontainers';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { runCommand } from '../../tools/throwaway/run-command.js';
import { dataDirectory } from './data-directory.js';

/** A directory on the server with room for a few megabytes, for a tablespace that fills up. */
export interface TinyFilesystem {
  readonly directory: string;
  makeRoom(): Promise<void>;
  remove(): Promise<void>;
}

/** Returns the reason if there can be none: on the machine of a local server, this requires root. */
export function makeTinyFilesystem(
  cluster: ClusterAddress,
  megabytes: number,
): Promise<TinyFilesystem | string> {
  return cluster.location.kind === 'docker'
    ? fillSharedMemory(cluster.location.container, megabytes)
    : mountBeside(cluster, megabytes);
}

// A container may not mount anything, but its /dev/shm is a file system of its own.
async function fillSharedMemory(container: string, megabytes: number): Promise<TinyFilesystem> {
  const client = await getContainerRuntimeClient();
  const run = async (script: string) => {
    const { exitCode, output } = await client.container.exec(client.container.getById(container), [
      'sh',
      '-c',
      script,
    ]);
    if (exitCode !== 0) throw new Error(output);
  };
  await run(
    `mkdir /dev/shm/tiny && dd if=/dev/zero of=/dev/shm/filling bs=1M count=$(($(df --output=avail -m /dev/shm | tail -n 1) - ${megabytes}))`,
  );
  return {
    directory: '/dev/shm/tiny',
    makeRoom: () => run('rm /dev/shm/filling'),
    remove: () => run('rm -rf /dev/shm/tiny /dev/shm/filling'),
  };
}

async function mountBeside(
  cluster: ClusterAddress,
  megabytes: number,
): Promise<TinyFilesystem | string> {
  const data = await dataDirectory(cluster);
  const directory = path.join(data, '..', 'tiny');
  const run = async (script: string) => {
    await runCommand('sh', ['-c', script]);
  };
  try {
    await run(
      `mkdir '${directory}' && mount -t tmpfs -o size=${megabytes}m tiny '${directory}' && chown --reference='${data}' '${directory}'`,
    );
  } catch (error) {
    return `nothing can be mounted here: ${error instanceof Error ? error.message : error}`;
  }
  return {
    directory,
    makeRoom: () => run(`mount -o remount,size=100m '${directory}'`),
    remove: () => run(`umount -l '${directory}'`),
  };
}
