import type { DatabaseError } from 'pg';

/** Does not use `instanceof`: another dependency may have loaded a second copy of pg. */
export function isDatabaseError(error: unknown): error is DatabaseError {
  return error instanceof Error && 'severity' in error && sqlState(error) !== undefined;
}

export function sqlState(error: unknown): string | undefined {
  const code = errorCode(error);
  return code !== undefined && /^[0-9A-Z]{5}$/u.test(code) ? code : undefined;
}

/** An SQLSTATE, or an error code of the operating system or of Node (ECONNREFUSED, ERR_TLS_…). */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** By the code: the severity comes in the server's language. The other codes of class 08 are those of dblink. */
export function endsConnection(error: unknown): boolean {
  return /^(57P|08P|25P0[34])/.test(sqlState(error) ?? '');
}

/**
 * Whether the server refused what was asked, and can be asked something else. An error that ended the connection says
 * nothing of what was asked.
 */
export function isServersRefusal(error: unknown): error is DatabaseError {
  return isDatabaseError(error) && !endsConnection(error);
}
