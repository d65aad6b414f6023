import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ends what is open on the server, such as a session or a pause, and waits until the server is done with it. */
export type End = () => Promise<void>;

export interface EndableWork<T> {
  readonly ended: Promise<T>;
  /** Ends what the work has open, the oldest first; returns why, if that did not succeed in time. */
  readonly end: (withinMs: number) => Promise<Error | undefined>;
}

// Ambient, since a session may be opened at any depth, and nothing between needs to know of this.
const openThings = new AsyncLocalStorage<Open>();

interface Open {
  readonly things: Set<End>;
  isBeingEnded: boolean;
}

/** Whether the work that this is part of is being ended from outside. */
export function isBeingEnded(): boolean {
  return openThings.getStore()?.isBeingEnded === true;
}

/** Begins the work, which can be ended from outside. */
export function endableWork<T>(work: () => Promise<T>): EndableWork<T> {
  const open: Open = { things: new Set(), isBeingEnded: false };
  return {
    ended: openThings.run(open, work),
    end: async (withinMs) => {
      open.isBeingEnded = true;
      const inTime = new AbortController();
      const late = sleep(withinMs, undefined, { signal: inTime.signal }).then(
        () => new Error(`the server did not end it within ${withinMs} ms`),
        () => undefined,
      );
      const failure = await Promise.race([endAll([...open.things]), late]);
      inTime.abort();
      return failure;
    },
  };
}

/** Goes on after a failure; returns the first. */
async function endAll(ends: readonly End[]): Promise<Error | undefined> {
  let first: Error | undefined;
  for (const end of ends) {
    await end().catch((failure: Error) => {
      first ??= failure;
    });
  }
  return first;
}

/** While `use` runs, whoever ends the work that it is part of calls `end`. */
export async function whileEndable<T>(end: End, use: () => Promise<T>): Promise<T> {
  const open = openThings.getStore();
  open?.things.add(end);
  try {
    return await use();
  } finally {
    open?.things.delete(end);
  }
}
