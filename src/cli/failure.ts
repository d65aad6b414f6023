import { LockBusyError } from '../database/advisory-lock.js';
import { ConnectionError } from '../database/connection-error.js';
import { isDatabaseError, sqlState } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { MigrationSelectionError } from '../migrations/select-migrations.js';
import { PreflightError } from '../operations/preflight.js';
import { SettingsError } from '../settings/problem.js';
import { EXIT_CODES, type ExitCode } from './exit-codes.js';
import { InterruptedError } from './interrupt.js';
import type { FailureReport } from './json-shape.js';
import { checkList } from './output/checks.js';
import type { Style } from './output/style.js';
import { indented } from './output/text.js';
import { UsageError } from './usage-error.js';

const INSUFFICIENT_PRIVILEGE = '42501';

type ErrorClass = abstract new (...args: never[]) => Error;

const EXIT_CODE_OF: readonly (readonly [ErrorClass, ExitCode])[] = [
  [UsageError, EXIT_CODES.usage],
  [SettingsError, EXIT_CODES.usage],
  [MigrationSelectionError, EXIT_CODES.usage],
  [LockBusyError, EXIT_CODES.busy],
  [InterruptedError, EXIT_CODES.interrupted],
];

/** By the error's class, or the class of what caused it. */
export function exitCodeOf(error: unknown): ExitCode {
  const code = EXIT_CODE_OF.find(([type]) => error instanceof type)?.[1];
  if (code !== undefined) return code;
  return error instanceof Error && error.cause !== undefined
    ? exitCodeOf(error.cause)
    : EXIT_CODES.failed;
}

export function failureReport(error: unknown): FailureReport {
  const remedy = remedyOf(error);
  return {
    name: nameOf(error),
    message: withCauses(error),
    ...(remedy !== undefined && { remedy }),
    ...(error instanceof SettingsError && { problems: error.problems }),
    ...(error instanceof PreflightError && { checks: error.failed }),
  };
}

export function failureText({ message, remedy, checks }: FailureReport, style: Style): string {
  return [
    `${style.bad('Error:')} ${message}`,
    ...(checks === undefined ? [] : [indented(checkList(checks, style))]),
    ...(remedy === undefined ? [] : [`${style.bold('Remedy:')} ${remedy}`]),
  ].join('\n');
}

function nameOf(error: unknown): string {
  if (isDatabaseError(error)) return 'DatabaseError';
  return error instanceof Error ? error.name : 'Error';
}

/** The error's own remedy, or that of what caused it. */
function remedyOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('remedy' in error && typeof error.remedy === 'string') return error.remedy;
  if (sqlState(error) === INSUFFICIENT_PRIVILEGE) {
    return 'Run pcache-migrate doctor: it says which grant is missing, where, and who can give it.';
  }
  return remedyOf(error.cause);
}

/** The message, and what the causes say beyond it. */
function withCauses(error: unknown): string {
  let text = describeDatabaseError(error);
  for (const cause of causesOf(error)) {
    const said = describeDatabaseError(cause);
    if (!text.includes(said)) text += `\nCause: ${said}`;
  }
  return text;
}

function causesOf(error: unknown): unknown[] {
  // A ConnectionError says in better words what its cause does.
  if (!(error instanceof Error) || error instanceof ConnectionError) return [];
  return error.cause === undefined ? [] : [error.cause, ...causesOf(error.cause)];
}
