import { PcacheError } from '../errors/pcache-error.js';
import { sqlState } from './database-error.js';

const INSUFFICIENT_PRIVILEGE = '42501';

/** The error's own remedy, or that of its cause. */
export function remedyOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PcacheError && error.remedy !== undefined) return error.remedy;
  if (sqlState(error) === INSUFFICIENT_PRIVILEGE) {
    return 'Run pcache-migrate doctor: it says which grant is missing, where, and who can give it.';
  }
  return remedyOf(error.cause);
}

/** What to do once the cause of the failure is fixed. */
export function remedyThen(cause: unknown, next: string): string {
  const remedy = remedyOf(cause);
  return remedy === undefined ? `Fix the cause, then ${next}` : `${remedy}\nThen ${next}`;
}
