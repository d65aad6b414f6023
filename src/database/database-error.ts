import type { DatabaseError } from 'pg';

/** Not `instanceof`: there may be a second copy of pg, another dependency's, in the process. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && sqlState(error) !== undefined;
}

export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^[0-9A-Z]{5}$/u.test(code) ? code : undefined;
}

/** An SQLSTATE, or the code of the operating system or of Node (ECONNREFUSED, ERR_TLS_…). */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}
