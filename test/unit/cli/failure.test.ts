import { DatabaseError } from 'pg';
import { describe, expect, it, test } from 'vitest';
import { failureReport, failureText } from '../../../src/cli/failure.js';
import { InterruptedError } from '../../../src/cli/interrupt.js';
import { styleOf } from '../../../src/cli/output/style.js';
import { UsageError } from '../../../src/cli/usage-error.js';
import { LockBusyError } from '../../../src/database/advisory-lock.js';
import { ConnectionError } from '../../../src/database/connection-error.js';
import { NotDeployedError } from '../../../src/deployment/require-deployed.js';
import { EXIT_CODES } from '../../../src/errors/exit-codes.js';
import { exitCodeOf } from '../../../src/errors/pcache-error.js';
import { MigrationSelectionError } from '../../../src/migrations/select-migrations.js';
import { CronStreamError } from '../../../src/operations/cron-stream-error.js';
import { PreflightError } from '../../../src/operations/preflight.js';
import { SettingsError } from '../../../src/settings/problem.js';
import type { Settings } from '../../../src/settings/settings.js';

const plain = styleOf({ write: () => {} }, {}, false);
const textOf = (error: unknown) => failureText(failureReport(error), plain);

function databaseError(): DatabaseError {
  return Object.assign(new DatabaseError('permission denied for schema cron', 1, 'error'), {
    severity: 'ERROR',
    code: '42501',
    detail: 'Some detail.',
    hint: 'Ask for it.',
  });
}

const settings = { work: { database: 'app' }, cron: { database: 'postgres' } } as Settings;
const applied = { stream: 'work', database: 'app', schema: 's', migrations: [] } as const;

test.each([
  [new UsageError('wrong', 'right'), EXIT_CODES.usage],
  [new SettingsError([]), EXIT_CODES.usage],
  [new MigrationSelectionError('no such migration'), EXIT_CODES.usage],
  [new LockBusyError('key', 5, undefined), EXIT_CODES.busy],
  [new InterruptedError('SIGTERM'), EXIT_CODES.interrupted],
  [new NotDeployedError({ ...applied, applied: [], pending: [], newer: [] }), EXIT_CODES.failed],
  [new PreflightError({ checks: [] }), EXIT_CODES.failed],
  [databaseError(), EXIT_CODES.failed],
  [
    new Error('set, but not applied', { cause: new LockBusyError('key', 5, undefined) }),
    EXIT_CODES.busy,
  ],
  ['a string', EXIT_CODES.failed],
])('%s gives its exit code', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

describe('the report of a failure', () => {
  it('has what the server said, with SQLSTATE, detail and hint', () => {
    expect(failureReport(databaseError())).toEqual({
      name: 'DatabaseError',
      message:
        'permission denied for schema cron (SQLSTATE 42501)\nDETAIL: Some detail.\nHINT: Ask for it.',
      remedy:
        'Run pcache-migrate doctor: it says which grant is missing, where, and who can give it. What was taken from a role of this deployment by hand, pcache-migrate verify names.',
    });
  });

  it('has the causes of an unknown error, and no stack', () => {
    const error = new TypeError('outer', {
      cause: new Error('middle', { cause: databaseError() }),
    });
    expect(textOf(error)).toBe(
      'Error: outer\nCause: middle\nCause: permission denied for schema cron (SQLSTATE 42501)\nDETAIL: Some detail.\nHINT: Ask for it.\n' +
        'Remedy: Run pcache-migrate doctor: it says which grant is missing, where, and who can give it. What was taken from a role of this deployment by hand, pcache-migrate verify names.',
    );
  });

  it('has the remedy of the cause, and what it says beyond the message', () => {
    const text = textOf(new CronStreamError(settings, applied, databaseError()));
    expect(text).toContain('The work stream is up to date in database "app"');
    expect(text).toContain('HINT: Ask for it.');
    const cause = new ConnectionError('no way', 'Find one.', {
      cause: new Error('errno'),
      wasLost: false,
    });
    expect(textOf(new CronStreamError(settings, applied, cause))).toMatch(
      /\nRemedy: Find one\.\nThen run pcache-migrate up again; it continues here\.$/,
    );
  });

  it('does not repeat the cause of a failed connection in worse words', () => {
    const error = new ConnectionError("can't connect", 'Try.', {
      cause: new Error('ECONNREFUSED'),
      wasLost: false,
    });
    expect(textOf(error)).toBe("Error: can't connect\nRemedy: Try.");
  });

  it('has the failed checks with the lines that fix them, where and as whom', () => {
    const error = new PreflightError({
      checks: [
        { id: 'fine', title: 'fine', status: 'ok', detail: '' },
        {
          id: 'usage',
          title: 'the cron role may use the schema cron',
          status: 'failed',
          detail: 'missing: USAGE',
          remedy: {
            kind: 'sql',
            by: 'administrator',
            database: 'postgres',
            lines: ['GRANT USAGE ON SCHEMA cron TO "c";'],
          },
        },
      ],
    });
    expect(textOf(error)).toBe(
      [
        'Error: 1 thing is missing: the cron role may use the schema cron',
        '  failed  the cron role may use the schema cron: missing: USAGE',
        '      Remedy, as an administrator (superuser), in database "postgres":',
        '        GRANT USAGE ON SCHEMA cron TO "c";',
      ].join('\n'),
    );
    expect(failureReport(error).checks).toMatchObject([{ id: 'usage' }]);
  });
});
