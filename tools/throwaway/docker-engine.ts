import { hostname } from 'node:os';
import { type ContainerRuntimeClient, getContainerRuntimeClient, ImageName } from 'testcontainers';

const answerWithinMs = 10_000;

/** The engine of this machine, or why there is none to use and what to do. */
export async function findDockerEngine(): Promise<ContainerRuntimeClient | string> {
  const client = await withDeadline(getContainerRuntimeClient().catch(() => undefined));
  if (client === undefined) {
    return 'no engine answers. Install and start it, and be a user who may use it (DEBUG=testcontainers* shows the attempts).';
  }
  if (!(await isOfThisMachine(client))) {
    return `the engine that answers is ${client.info.containerRuntime.host}'s: a server there, reachable from loopback only, is out of reach. Use an engine of this machine.`;
  }
  return client;
}

// In a container, testcontainers takes the engine for that of the surrounding machine; it is
// ours all the same if it was started in here.
async function isOfThisMachine(client: ContainerRuntimeClient): Promise<boolean> {
  const { host } = client.info.containerRuntime;
  if (host === 'localhost' || host === '127.0.0.1') return true;
  const engine = await client.container.dockerode.info();
  return engine.Name === hostname();
}

export async function hasLabel(
  client: ContainerRuntimeClient,
  image: string,
  label: { name: string; value: string },
): Promise<boolean> {
  const details = await client.image.inspect(ImageName.fromString(image));
  return details.Config.Labels?.[label.name] === label.value;
}

export function hasImage(client: ContainerRuntimeClient, image: string): Promise<boolean> {
  return client.image.exists(ImageName.fromString(image));
}

/** testcontainers reports no failure that comes after the pull has begun: look afterwards. */
export async function pullImage(client: ContainerRuntimeClient, image: string): Promise<boolean> {
  await client.image.pull(ImageName.fromString(image)).catch(() => {});
  return hasImage(client, image);
}

async function withDeadline<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, answerWithinMs, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
