import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';

/** A way to the server that can be blocked, as a network does it: nothing is refused, nothing answers. */
export interface Gateway {
  readonly port: number;
  /** From now on, who connects gets no answer; the connections that are there go on. */
  fallSilent(): void;
  /** How many have connected since. */
  unanswered(): number;
  close(): Promise<void>;
}

export async function openGateway({ host, port }: ClusterAddress): Promise<Gateway> {
  const sockets = new Set<Socket>();
  let silent = false;
  let unanswered = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((socket) => {
    keep(socket);
    if (silent) {
      unanswered += 1;
      return;
    }
    const onward = dial(port, host);
    keep(onward);
    socket.pipe(onward).pipe(socket);
    onward.on('close', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    fallSilent: () => {
      silent = true;
    },
    unanswered: () => unanswered,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
