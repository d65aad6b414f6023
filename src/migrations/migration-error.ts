import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { PcacheError } from '../errors/pcache-error.js';
import type { MigrationScript } from './read-migrations.js';
import { span } from './span.js';
import { lineAt, type Statement } from './split-statements.js';

export type Direction = 'up' | 'down';

export interface FailedStep {
  readonly name: string;
  readonly direction: Direction;
  readonly script: MigrationScript;
  readonly statement: Statement;
  /** What the run had done before, in transactions of their own. */
  readonly done: readonly string[];
}

/** A statement of a migration failed; the transaction was rolled back. */
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

  constructor(step: FailedStep, cause: Error) {
    const { name, direction, statement } = step;
    const { file, sql } = step.script;
    const line = lineAt(sql, statement.offset + offsetWithin(statement.text, cause));
    super(
      `Migration ${name} (${direction}) failed, ${whatIsDone(step)}: ${describeDatabaseError(cause)}\n  At: ${file}:${line}: ${shortened(statement.text)}`,
      { cause },
    );
    this.migration = name;
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

function whatIsDone({ script, done, direction }: FailedStep): string {
  const here = script.inTransaction
    ? 'and was rolled back'
    : 'and may have left its index invalid (the next run begins with that)';
  if (done.length > 0) {
    return `${here}; ${direction === 'up' ? 'applied' : 'rolled back'} before, and kept so: ${span(done)}`;
  }
  return here;
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
