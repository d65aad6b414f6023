import { isServersRefusal } from './database-error.js';
import { describeRefusal } from './describe-refusal.js';

/**
 * What `look` finds; or, where the server refuses to show it, what `unknown` makes of its words. `isRefusal`: which other
 * errors mean the same.
 */
export async function unlessRefused<T>(
  look: () => Promise<T>,
  unknown: (said: string, error: unknown) => T,
  isRefusal: (error: unknown) => boolean = () => false,
): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (!isRefusal(error) && !isServersRefusal(error)) throw error;
    return unknown(describeRefusal(error), error);
  }
}
