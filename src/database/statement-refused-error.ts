import type { DatabaseError } from 'pg';
import { PcacheError } from '../errors/pcache-error.js';
import type { ConnectionSettings } from '../settings/settings.js';
import { describeRefusal } from './describe-refusal.js';
import { remedyOf } from './remedy-of.js';

/** A statement of this package that the server refused, and where. */
export class StatementRefusedError extends PcacheError {
  override readonly name = 'StatementRefusedError';
  /** The SQLSTATE. */
  readonly code: string | undefined;

  constructor({ database, user }: ConnectionSettings, cause: DatabaseError) {
    super(
      `Database "${database}" refused what role "${user}" asked of it: ${describeRefusal(cause)}`,
      { remedy: remedyOf(cause), cause },
    );
    this.code = cause.code;
  }
}
