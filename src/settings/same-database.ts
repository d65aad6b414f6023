import { CLIENT, WORK } from './connection.js';
import { type Found, quoted } from './found.js';
import { sameHost } from './host.js';
import type { Lookup } from './lookup.js';
import type { Problems } from './problem.js';
import type { UriPart } from './variables.js';

const COMPARED: readonly [UriPart, differ: (one: string, other: string) => boolean][] = [
  ['host', (one, other) => !sameHost(one, other)],
  // Not `!==`: a port that is not a number has already been reported.
  ['port', (one, other) => Math.abs(Number(one) - Number(other)) > 0],
  ['database', (one, other) => one !== other],
];

/** The queue is in the work database: the application and the processor must meet there. */
export function refuseOtherQueueDatabase(lookup: Lookup, problems: Problems): void {
  for (const [part, differ] of COMPARED) {
    const queue = lookup(CLIENT.names[part]);
    const work = lookup(WORK.names[part]);
    if (queue && work && differ(queue.value, work.value)) refuse(part, queue, work, problems);
  }
}

function refuse(part: UriPart, queue: Found, work: Found, problems: Problems): void {
  problems.add(
    CLIENT.names[part],
    `${quoted(queue)} is not ${WORK.names[part]}, which is ${quoted(work)}`,
    `The queue is in the work database: unset ${CLIENT.names[part]}, or give both the same ${part}.`,
  );
}
