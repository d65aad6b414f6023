import { escapeIdentifier } from 'pg';
import { isDatabaseError } from '../database/database-error.js';
import { describeRefusal } from '../database/describe-refusal.js';
import { remedyOf } from '../database/remedy-of.js';
import { PcacheError, type PcacheErrorDetails } from '../errors/pcache-error.js';
import { pasteable, shown } from '../errors/shown.js';

/** What is applied cannot be read or changed, or is not what this package knows. */
export class LedgerError extends PcacheError {
  override readonly name: string = 'LedgerError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[], details?: PcacheErrorDetails) {
    super(problems.join('\n'), details);
    this.problems = problems;
  }
}

/** What is in a schema may be of others' making: nothing of it was read. */
export class ForeignSchemaError extends LedgerError {
  override readonly name = 'ForeignSchemaError';

  constructor(schema: string, reasons: readonly string[], lines: readonly string[]) {
    super(
      [
        `What is in the schema ${escapeIdentifier(schema)} is not read, since others may have made it: ${reasons.map(shown).join('; ')}.`,
      ],
      {
        remedy:
          lines.length > 0
            ? `If that schema is of your making, run there as an administrator: ${lines.map(pasteable).join(' ')} If not, choose another schema.`
            : 'Choose another schema; or, if that one is of your making, give it back to the role that deploys there, and take away what others may do in it.',
      },
    );
  }
}

export function notRecorded(migration: string, schema: string): LedgerError {
  return new LedgerError(
    [
      `The table ledger in schema ${escapeIdentifier(schema)} does not say what takes ${shown(migration)} back, so it cannot be rolled back.`,
    ],
    { remedy: 'Restore that table from a backup.' },
  );
}

export function ledgerFailure(
  schema: string,
  action: 'read' | 'written' | 'dropped',
  cause: Error,
): LedgerError {
  const problem = `The ledger in schema ${escapeIdentifier(schema)} cannot be ${action}: ${describeRefusal(cause)}`;
  switch (isDatabaseError(cause) ? cause.code : undefined) {
    case '42501':
      return new LedgerError([problem], {
        remedy:
          action === 'read'
            ? `Connect as the role that owns the schema ${escapeIdentifier(schema)}, or give this one pg_read_all_data. If it owns it, let it take back what it lost: GRANT ALL ON SCHEMA ${escapeIdentifier(schema)} TO CURRENT_USER; GRANT ALL ON ALL TABLES IN SCHEMA ${escapeIdentifier(schema)} TO CURRENT_USER; then run: pcache-migrate verify --fix`
            : `Make the role the owner of the schema ${escapeIdentifier(schema)}, or, where that does not exist, give it CREATE on the database.`,
        cause,
      });
    case '42703':
      return new LedgerError([problem, 'The table is not a ledger of pcache-migrate.'], {
        remedy:
          'If it was one, pcache-migrate verify says what was changed, and pcache-migrate verify --fix undoes it. If not, choose another schema.',
        cause,
      });
    default:
      return new LedgerError([problem], { remedy: remedyOf(cause), cause });
  }
}
