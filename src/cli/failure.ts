import { ConnectionError } from '../database/connection-error.js';
import { isDatabaseError } from '../database/database-error.js';
import { describeDatabaseError } from '../database/describe-database-error.js';
import { remedyOf } from '../database/remedy-of.js';
import { ofOneStep } from '../errors/of-one-step.js';
import { PreflightError } from '../operations/preflight.js';
import { StoppedError } from '../operations/stopped-error.js';
import { MissingObjectsError } from '../plan/missing-objects.js';
import { SettingsError } from '../settings/problem.js';
import type { FailureReport } from './json-shape.js';
import { checkList } from './output/checks.js';
import type { Style } from './output/style.js';
import { indented } from './output/text.js';

export function failureReport(error: unknown): FailureReport {
  const remedy = remedyOf(error);
  return {
    name: nameOf(error),
    message: withCauses(error),
    ...(remedy !== undefined && { remedy }),
    ...(error instanceof SettingsError && { problems: error.problems }),
    ...(error instanceof PreflightError && { checks: error.failed }),
    ...(error instanceof StoppedError && { streams: error.streams }),
    ...(error instanceof MissingObjectsError && { missing: error.missing }),
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

/** The message, and what its causes add. */
function withCauses(error: unknown): string {
  let text = describeDatabaseError(error);
  for (const cause of causesOf(error)) {
    const said = ofOneStep(describeDatabaseError(cause));
    if (!text.includes(said)) text += `\nCause: ${said}`;
  }
  return text;
}

function causesOf(error: unknown): unknown[] {
  // A ConnectionError already says what its cause says, in better words.
  if (!(error instanceof Error) || error instanceof ConnectionError) return [];
  return error.cause === undefined ? [] : [error.cause, ...causesOf(error.cause)];
}
