import type pg from 'pg';
import { connectAs } from '../../harness/deployment.js';
import type { Scene } from './attempt.js';
import type { Place } from './place.js';

interface Listener {
  readonly client: pg.Client;
  readonly payloads: readonly string[];
}

const listeners = new WeakMap<Place, Listener>();

/** A client that waits for work. */
export async function listen({ place }: Scene): Promise<void> {
  const client = await connectAs(place.settings.client);
  const payloads: string[] = [];
  client.on('notification', ({ payload }) => payloads.push(payload ?? ''));
  await client.query('LISTEN query_fragment_available');
  listeners.set(place, { client, payloads });
}

/** What was sent before arrives with the answer. */
export async function hear({ place }: Scene): Promise<void> {
  await listenerOf(place).client.query('SELECT');
}

export function heard({ place }: Scene, payload: string): boolean {
  return listenerOf(place).payloads.includes(payload);
}

export async function stopListening({ place }: Scene): Promise<void> {
  await listenerOf(place).client.end();
}

function listenerOf(place: Place): Listener {
  const listener = listeners.get(place);
  if (listener === undefined) throw new Error('nobody listens');
  return listener;
}
