import { PcacheError } from '../errors/pcache-error.js';
import { shown } from '../errors/shown.js';

/** A table that was to be read is locked against everybody. */
export class LockedTablesError extends PcacheError {
  override readonly name = 'LockedTablesError';

  constructor(seconds: number, locks: readonly string[], cause: Error) {
    const held = locks.length > 0 ? locks.map(shown).join('; ') : 'it is free by now';
    super(`A lock for reading could not be had in ${seconds} s: ${held}.`, {
      remedy:
        locks.length > 0
          ? 'Let that session finish, or end it by pg_terminate_backend; then run the command again.'
          : 'Run the command again.',
      cause,
    });
  }
}
