import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import type { ClusterAddress } from '../../tools/throwaway/cluster.js';
import { frameReader, isQueryEnd, isStartup, queryMessage, startupOf, textOf } from './wire.js';

/** One statement of a client, or its connecting, in the order in which they reached the network. */
export interface Step {
  /** Counted from 1 over all connections. */
  readonly number: number;
  readonly user: string;
  readonly database: string;
  /** The connection's number, counted from 1. */
  readonly connection: number;
  /** Of the server; undefined while it connects. */
  readonly pid: number | undefined;
  readonly text: string;
}

/**
 * What goes wrong at a step. `drop`: the connection breaks before the server gets the statement. `lose`: it breaks
 * when the server has done it, before the answer arrives. `kill`: the backend is terminated before. `error`: the
 * server raises disk_full instead. `cut` and `cut-after`: as drop and lose, but all connections break and no new
 * one is had, as when the client's host is gone.
 */
export const FAULTS = ['drop', 'lose', 'kill', 'error', 'cut', 'cut-after'] as const;
export type Fault = (typeof FAULTS)[number];

/** A way to the server on which things go wrong at a chosen step. */
export interface FaultyNetwork {
  readonly port: number;
  /** Counts anew from here; at the first step that `where` accepts, `fault` happens. */
  begin(fault?: Fault, where?: (step: Step) => boolean, before?: Before): void;
  /** Since `begin`. */
  steps(): readonly Step[];
  /** Where the fault has happened. */
  struck(): Step | undefined;
  close(): Promise<void>;
}

/** Runs before the fault happens, while the statement waits. */
type Before = (step: Step) => Promise<void>;

export interface NetworkOptions {
  /** Ends a backend, and waits until it is gone. */
  readonly kill: (pid: number) => Promise<void>;
}

const RAISE = "DO $$BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END$$";

export async function openFaultyNetwork(
  { host, port }: ClusterAddress,
  { kill }: NetworkOptions,
): Promise<FaultyNetwork> {
  const sockets = new Set<Socket>();
  let steps: Step[] = [];
  let connections = 0;
  let plan: { fault: Fault; where: (step: Step) => boolean; before: Before } | undefined;
  let struck: Step | undefined;
  let isDown = false;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    // Or each statement would wait 40 ms for the packet before it to be acknowledged.
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const breakAll = () => {
    isDown = true;
    for (const socket of sockets) socket.destroy();
  };

  const server = createServer((client) => {
    keep(client);
    if (isDown) {
      client.destroy();
      return;
    }
    connections += 1;
    const connection = connections;
    const onward = dial(port, host);
    keep(onward);
    let pid: number | undefined;
    let startup = { user: '', database: '' };
    let answered: (() => void) | undefined;
    const breakBoth = () => {
      client.destroy();
      onward.destroy();
    };
    client.on('close', breakBoth);
    onward.on('close', () => {
      answered?.();
      client.end();
    });

    const toClient = frameReader(async (frame) => {
      if (frame[0] === 0x4b) pid = frame.readInt32BE(5);
      if (answered === undefined) client.write(frame);
      else if (frame[0] === 0x5a) answered();
    });
    onward.on('data', (data) => void toClient(data));

    const answerLost = async (messages: Buffer) => {
      const done = new Promise<void>((resolve) => {
        answered = resolve;
      });
      onward.write(messages);
      await done;
    };
    /** Forwards the messages of one step, unless its time has come. */
    const pass = async (messages: Buffer, text: string) => {
      const step = { number: steps.length + 1, connection, pid, text, ...startup };
      steps.push(step);
      if (plan === undefined || struck !== undefined || !plan.where(step)) {
        onward.write(messages);
        return;
      }
      struck = step;
      await plan.before(step);
      await happen(plan.fault, messages);
    };
    const happen = async (fault: Fault, messages: Buffer) => {
      const isCut = fault.startsWith('cut');
      // While it connects, nothing that it sends can be done or raise.
      if (pid === undefined) return isCut ? breakAll() : breakBoth();
      if (fault === 'kill') await kill(pid);
      if (fault === 'kill') onward.write(messages);
      if (fault === 'error') onward.write(queryMessage(RAISE));
      if (fault === 'kill' || fault === 'error') return;
      if (fault === 'lose' || fault === 'cut-after') await answerLost(messages);
      if (isCut) breakAll();
      else breakBoth();
    };

    let group: Buffer[] = [];
    const toServer = frameReader(
      async (frame) => {
        if (isStartup(frame)) {
          startup = startupOf(frame);
          return pass(frame, 'connect');
        }
        group.push(frame);
        if ('PBDEH'.includes(String.fromCharCode(frame[0] ?? 0))) return;
        const messages = group;
        group = [];
        const text = messages.map(textOf).find((found) => found !== undefined);
        if (!isQueryEnd(frame) || text === undefined) {
          return onward.write(Buffer.concat(messages));
        }
        await pass(Buffer.concat(messages), text);
      },
      { startsUntyped: true },
    );
    client.on('data', (data) => void toServer(data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    begin: (fault, where = () => false, before = async () => {}) => {
      steps = [];
      connections = 0;
      struck = undefined;
      isDown = false;
      plan = fault && { fault, where, before };
    },
    steps: () => steps,
    struck: () => struck,
    close: async () => {
      breakAll();
      server.close();
      await once(server, 'close');
    },
  };
}
