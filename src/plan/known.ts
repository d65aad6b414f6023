import { unlessRefused } from '../database/unless-refused.js';

/** An answer, or why there is none. */
export type Known<T> =
  | { readonly isKnown: true; readonly value: T }
  | { readonly isKnown: false; readonly reason: string };

export function known<T>(value: T): Known<T> {
  return { isKnown: true, value };
}

export function unknown(reason: string): Known<never> {
  return { isKnown: false, reason };
}

/** What `ask` answers; unknown where the server does not, most often because the role may not ask. */
export function ifAnswered<T>(ask: () => Promise<Known<T>>): Promise<Known<T>> {
  return unlessRefused<Known<T>>(ask, unknown);
}
