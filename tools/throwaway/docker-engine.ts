import { hostname } from 'node:os';
import { type ContainerRuntimeClient, getContainerRuntimeClient, ImageName } from 'testcontainers';

const answerWithinMs = 10_000;

/** The engine of this machine, or why none can be used and what to do. */
export async function findDockerEngine(): Promise<ContainerRuntimeClient | string> {
  const client = await withDeadline(getContainerRuntimeClient().catch(() => undefined));
  if (client === undefined) {
    return 'no engine answers. Install and start one, and run this as a user who may use it (DEBUG=testcontainers* shows the attempts).';
  }
  if (!(await isOfThisMachine(client))) {
    return `the engine that answers runs on ${client.info.containerRuntime.host}: a server there, which listens on loopback only, is out of reach. Use an engine on this machine.`;
  }
  return client;
}

// In a container, testcontainers assumes that the engine is that of the surrounding machine; it is
// still ours if it was started in this container.
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

/** testcontainers does not report a failure once the pull has started, so this looks afterwards. */
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
