import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { Migration } from './read-migrations.js';
import { lineAt, type Statement } from './split-statements.js';

export type Direction = 'up' | 'down';

/** A statement of a migration failed; the whole run was rolled back. */
export class MigrationError extends PcacheError {
  override readonly name = 'MigrationError';
  readonly migration: string;
  readonly direction: Direction;
  readonly file: string;
  readonly line: number;
  readonly statement: string;
  readonly sqlState: string | undefined;
  readonly detail: string | undefined;
  readonly hint: string | undefined;

  constructor(migration: Migration, direction: Direction, statement: Statement, cause: Error) {
    const { file, sql } = migration[direction];
    const line = lineAt(sql, statement.offset + offsetWithin(statement.text, cause));
    super(
      `Migration ${migration.name} (${direction}) failed, nothing was changed: ${describeDatabaseError(cause)}\n  At: ${file}:${line}: ${shortened(statement.text)}`,
      { cause },
    );
    this.migration = migration.name;
    this.direction = direction;
    this.file = file;
    this.line = line;
    this.statement = statement.text;
    if (isDatabaseError(cause)) {
      this.sqlState = cause.code;
      this.detail = cause.detail;
      this.hint = cause.hint;
    }
  }
}

// PostgreSQL counts characters from 1, JavaScript UTF-16 units from 0.
function offsetWithin(text: string, cause: Error): number {
  const position = isDatabaseError(cause) ? Number(cause.position ?? 1) : 1;
  return [...text].slice(0, position - 1).join('').length;
}

function shortened(statement: string): string {
  const line = statement.replace(/\s+/g, ' ');
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
