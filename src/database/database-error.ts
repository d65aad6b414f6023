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

/** Whether it ended the connection, and says nothing of what was asked. */
export function endsConnection({ code = '' }: DatabaseError): boolean {
  return /^(57P|08)/.test(code);
}
