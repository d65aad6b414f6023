import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  type StartedTestContainer,
  Wait,
} from 'testcontainers';
import { guardCleanup } from './cleanup-guard.js';
import { type ClusterOptions, changeOptions, type ThrowawayCluster } from './cluster.js';
import type { DockerRuntime } from './find-runtime.js';
import { findFreeLoopbackPort } from './free-port.js';
import { pgHbaConf, renderPostgresqlConf } from './server-files.js';
import { waitForServer } from './wait-for-server.js';

const adminUser = 'postgres';
const serverPort = 5432;
const restartWithinMs = 30_000;

// image/entrypoint.sh and image/Dockerfile use these paths too.
const filesDirectory = '/etc/throwaway-cluster';
const socketDirectory = '/var/lib/throwaway-cluster/socket';

export async function startDockerCluster(
  runtime: DockerRuntime,
  initialOptions: ClusterOptions,
): Promise<ThrowawayCluster> {
  let options = initialOptions;
  const client = await getContainerRuntimeClient();
  const name = `pcache-throwaway-${randomBytes(6).toString('hex')}`;
  const guard = guardCleanup(removalCommand(name), {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  });
  const port = await findFreeLoopbackPort();
  const adminPassword = randomBytes(18).toString('base64url');
  const logs = () => containerLogs(client, name);

  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= removeContainer(client, name).then(() => guard.dismiss());
    return stopped;
  };

  const startup = async (start: () => Promise<unknown>) => {
    try {
      await start();
      await waitForServer(
        { host: '127.0.0.1', port, user: adminUser, password: adminPassword },
        () => isRunning(client, name),
      );
    } catch (cause) {
      throw new Error(`PostgreSQL of the image ${runtime.image} did not start:\n${await logs()}`, {
        cause,
      });
    }
  };

  let container: StartedTestContainer | undefined;
  try {
    await startup(async () => {
      container = await new LoopbackContainer(runtime.image)
        .publishOnLoopback(serverPort, port)
        .withName(name)
        // testcontainers cleans up by another container, whose image many machines can't pull;
        // the guard does the same.
        .withAutoCleanup(false)
        .withLabels({ 'pcache-migrate.throwaway': 'cluster' })
        .withSharedMemorySize(256 * 1024 * 1024)
        .withCopyContentToContainer([
          serverFile('password', `${adminPassword}\n`),
          serverFile('pg_hba.conf', pgHbaConf),
          serverFile('postgresql.conf', renderConf(options)),
        ])
        // waitForServer decides when the server is ready.
        .withWaitStrategy(Wait.forAll([]))
        .start();
    });
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    runtime: 'docker',
    host: '127.0.0.1',
    port,
    serverPort,
    adminUser,
    adminPassword,
    location: { kind: 'docker', container: name },
    async restart(changes = {}) {
      options = changeOptions(options, changes);
      await container?.copyContentToContainer([serverFile('postgresql.conf', renderConf(options))]);
      await startup(async () => container?.restart({ timeout: restartWithinMs }));
    },
    stop,
    keep() {
      guard.dismiss();
      return `docker rm --force --volumes ${name}`;
    },
    logs,
  };
}

// testcontainers itself publishes on all addresses of the machine.
class LoopbackContainer extends GenericContainer {
  publishOnLoopback(containerPort: number, hostPort: number): this {
    this.withExposedPorts({ container: containerPort, host: hostPort });
    this.hostConfig.PortBindings = {
      [`${containerPort}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(hostPort) }],
    };
    return this;
  }
}

function renderConf(options: ClusterOptions): string {
  return renderPostgresqlConf(
    {
      listenAddresses: '*',
      port: serverPort,
      socketDirectory,
      hbaFile: `${filesDirectory}/pg_hba.conf`,
    },
    options,
  );
}

function serverFile(name: string, content: string) {
  return { target: `${filesDirectory}/${name}`, content, mode: 0o644 };
}

function removalCommand(name: string): [string, ...string[]] {
  const script = `
    import { getContainerRuntimeClient } from 'testcontainers';
    const client = await getContainerRuntimeClient();
    await client.container.getById('${name}').remove({ force: true, v: true });`;
  return [process.execPath, '--input-type=module', '--eval', script];
}

async function removeContainer(client: ContainerRuntimeClient, name: string): Promise<void> {
  try {
    await client.container.getById(name).remove({ force: true, v: true });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function isRunning(client: ContainerRuntimeClient, name: string): Promise<boolean> {
  return (await client.container.getById(name).inspect()).State.Running;
}

async function containerLogs(client: ContainerRuntimeClient, name: string): Promise<string> {
  try {
    const frames = await client.container
      .getById(name)
      .logs({ follow: false, stdout: true, stderr: true });
    return joinFrames(frames);
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
}

// The engine multiplexes stdout and stderr: 4 bytes of stream number, 4 of length, the text.
function joinFrames(frames: Buffer): string {
  const texts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length; ) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    texts.push(frames.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(texts).toString('utf8');
}
