import { PcacheError } from '../errors/pcache-error.js';
import { sqlState } from './database-error.js';

const INSUFFICIENT_PRIVILEGE = '42501';

/** The error's own remedy, or that of what caused it. */
export function remedyOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof PcacheError && error.remedy !== undefined) return error.remedy;
  if (sqlState(error) === INSUFFICIENT_PRIVILEGE) {
    return 'Run pcache-migrate doctor: it says which grant is missing, where, and who can give it.';
  }
  return remedyOf(error.cause);
}

/** How to go on when what caused the failure is mended. */
export function remedyThen(cause: unknown, next: string): string {
  const remedy = remedyOf(cause);
  return remedy === undefined ? `Mend the reason, then ${next}` : `${remedy}\nThen ${next}`;
}
