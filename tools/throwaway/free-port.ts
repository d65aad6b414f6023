import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the ports that systems use for outgoing connections (Linux: from 32768), so that none of
// those takes the port between this check and the server's start.
const firstPort = 20_000;
const lastPort = 30_000;
const attempts = 100;

export async function findFreeLoopbackPort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(firstPort, lastPort);
    if (await isFree(port)) return port;
  }
  throw new Error(
    `no free TCP port on 127.0.0.1 in ${attempts} tries between ${firstPort} and ${lastPort}`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
