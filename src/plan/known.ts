import { isServersRefusal } from '../database/database-error.js';
import { describeRefusal } from '../database/describe-refusal.js';

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
export async function ifAnswered<T>(ask: () => Promise<Known<T>>): Promise<Known<T>> {
  try {
    return await ask();
  } catch (error) {
    if (!isServersRefusal(error)) throw error;
    return unknown(describeRefusal(error));
  }
}
